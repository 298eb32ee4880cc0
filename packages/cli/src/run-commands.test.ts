import { existsSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RetrievalPools } from '@sonotext/core/align'
import { readManifest, writeManifest } from '@sonotext/core/data'
import type { Evaluation } from '@sonotext/core/metrics'
import { tinyRun, writeToneClips } from '@sonotext/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunComparison, RunGroupComparison } from './commands/compare.js'
import type { FoundCaptions, FoundClips } from './hits-text.js'
import { cli, cliJson, notBuilt } from './testing/run-cli.js'

let folder: string
let run: string
let manifest: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-run-'))
  ;({ manifest } = await writeToneClips(folder))
  const config = join(folder, 'run.json')
  await writeFile(config, JSON.stringify({ ...tinyRun, data: { manifest } }))
  run = join(folder, 'run')
  if (notBuilt === null)
    await cliJson(['train', '--config', config, '--run', run, '--set', 'training.epochs=20'])
})
afterAll(() => rm(folder, { recursive: true }))

describe.skipIf(notBuilt !== null)(`sonotext evaluate${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  it('prints one object: split, queries, items, both directions and chance under the same keys', async () => {
    const result = await cliJson<Evaluation>(['evaluate', run])
    expect(result).toMatchObject({ split: 'test', queries: 12, items: 6 })
    const names = ['R@1', 'R@5', 'R@10', 'mAP@10', 'MRR', 'medR']
    for (const values of [
      result.textToAudio,
      result.audioToText,
      result.chance.textToAudio,
      result.chance.audioToText,
    ]) {
      expect(Object.keys(values!)).toEqual(names)
      for (const value of Object.values(values!)) expect(value).toBeTypeOf('number')
    }
    // Six sounds that differ this much are told apart after twenty epochs.
    expect(result.textToAudio!['R@1']).toBeGreaterThan(3 * result.chance.textToAudio!['R@1']!)
    expect(result.audioToText!['R@1']).toBeGreaterThan(3 * result.chance.audioToText!['R@1']!)
  })

  it('takes another split, other measures, another manifest', async () => {
    const other = join(folder, 'other', 'some.jsonl')
    const { clips } = await readManifest(manifest)
    await writeManifest(other, clips.slice(0, 4))
    const [validation, four] = await Promise.all([
      cliJson<Evaluation>(['evaluate', run, '--split', 'validation', '--measures', 'nDCG@5, HR@2']),
      cliJson<Evaluation>(['evaluate', run, '--split', 'train', '--manifest', other]),
    ])
    expect(validation).toMatchObject({ split: 'validation', items: 6 })
    expect(Object.keys(validation.textToAudio!)).toEqual(['nDCG@5', 'HR@2'])
    expect(four).toMatchObject({ split: 'train', queries: 8, items: 4 })
  })

  it('prints a table for people: value, interval, chance, ratio', async () => {
    const { code, stdout, stderr } = await cli(['evaluate', run, '--measures', 'R@1,medR'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^split test: 12 captions, 6 clips\n +text → audio +95 % +chance +× +audio → text/)
    expect(stdout).toMatch(/\nR@1 +[\d.]+ +[\d.]+–[\d.]+ +0\.1667 +[\d.]+ /)
    expect(stdout).not.toMatch(/-0\.|–1\.[0-9]*[1-9]/)
    expect(stdout).toMatch(/\n95 % intervals by clip: 6 clips\n$/)
    expect(stderr).toContain('scores 6/6 clips')
  })

  it('measures recall in small pools', async () => {
    const pools = await cliJson<RetrievalPools & { pool: number }>(['evaluate', run, '--pool', '4'])
    expect(pools).toMatchObject({ split: 'test', pool: 4, clips: 6 })
    expect(pools.textToAudio['R@1']!.mean).toBeGreaterThan(2 * pools.textToAudio['R@1']!.chance)
    const { stdout } = await cli(['evaluate', run, '--pool', '4'])
    expect(stdout).toMatch(/^split test: 6 clips in pools of 4\n +text → audio +draws +chance +audio → text/)
    const { code, stderr } = await cli(['evaluate', run, '--pool', '30'])
    expect(code).toBeGreaterThan(0)
    expect(stderr).toMatch(/Expected 30 clips with captions for a pool, got 6/)
  })

  it('takes the clips of one recording as one where the manifest names groups', async () => {
    const { clips } = await readManifest(manifest)
    const grouped = join(folder, 'grouped.jsonl')
    await writeManifest(
      grouped,
      clips.map((clip, i) => ({ ...clip, group: `recording ${Math.floor(i / 2)}` })),
    )
    const result = await cliJson<Evaluation>(['evaluate', run, '--manifest', grouped, '--per-query'])
    expect(result.intervalsOver.textToAudio).toEqual({ method: 'cluster', unit: 'group', count: 3 })
    const { ids, clusters, values } = result.perQuery.textToAudio!
    expect(ids.slice(0, 2)).toEqual(['low-hum-18#1', 'low-hum-18#2'])
    expect(new Set(clusters)).toEqual(new Set(['recording 9', 'recording 10', 'recording 11']))
    expect(values['R@1']).toHaveLength(12)
  })

  it('names the splits there are', async () => {
    const { code, stderr, stdout } = await cli(['evaluate', run, '--split', 'tset', '--json'])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(
      'no clip belongs to the split "tset". The manifest has: train, validation, test.',
    )
  })

  it('names a model that is missing or cut short', async () => {
    const broken = join(folder, 'broken')
    await cp(run, broken, { recursive: true })
    const bytes = await readFile(join(run, 'model.safetensors'))
    await writeFile(join(broken, 'model.safetensors'), bytes.subarray(0, 5000))
    const cut = await cli(['evaluate', broken])
    expect([cut.code, cut.stdout]).toEqual([1, ''])
    expect(cut.stderr).toMatch(/broken\/model\.safetensors: .*cut short/)
    await rm(join(broken, 'model.safetensors'))
    const none = await cli(['evaluate', broken])
    expect(none.code).toBe(1)
    expect(none.stderr).toMatch(/model\.safetensors: the run has no model yet\. Train it on/)
  })

  it('goes on without unusable clips up to a share, then refuses', async () => {
    const { clips } = await readManifest(manifest)
    const some = join(folder, 'some-missing.jsonl')
    const lost = clips.map((clip, i) =>
      i % 6 === 5 ? { ...clip, audio: join(folder, `lost-${i}.wav`) } : clip,
    )
    await writeManifest(some, lost)
    const args = ['evaluate', run, '--manifest', some]
    const refused = await cli(args)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(
      /1 of 6 clips are bad \(16\.7 %, allowed 5 %\): "ticking-clock-23" \(.*lost-23\.wav/,
    )
    const { code, stdout, stderr } = await cli([...args, '--max-bad', '0.2', '--json'])
    expect(code).toBe(0)
    expect(stderr).toMatch(/warning: set aside "ticking-clock-23": .*lost-23\.wav: /)
    expect(JSON.parse(stdout)).toMatchObject({ queries: 10, items: 5 })
  })
})

describe.skipIf(notBuilt !== null)(`sonotext compare${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  it('tests runs against the first one, measure by measure, and corrects for all of them', async () => {
    const config = join(folder, 'run.json')
    const raw = join(folder, 'untrained')
    await cliJson(['train', '--config', config, '--run', raw, '--set', 'training.epochs=1'])
    const args = ['compare', raw, run, run, '--measures', 'mAP@10,R@1']
    const compared = await cliJson<RunComparison[]>(args)
    expect(compared.map(({ runA, runB, direction, measure }) => [runA, runB, direction, measure])).toEqual(
      [run, run].flatMap((trained) =>
        ['textToAudio', 'audioToText'].flatMap((direction) =>
          ['mAP@10', 'R@1'].map((name) => [trained, raw, direction, name]),
        ),
      ),
    )
    for (const { a, b, difference, p, adjusted, exact, clusters, interval } of compared) {
      expect(difference).toBeCloseTo(a - b, 12)
      expect([exact, clusters]).toEqual([true, 6])
      // Six clips can be exchanged in 64 ways, half of them the mirror image of the other half.
      expect(Number.isInteger(p * 32)).toBe(true)
      expect(adjusted).toBeGreaterThanOrEqual(p)
      expect(interval![0]).toBeLessThanOrEqual(interval![1])
    }
    const { stdout, stderr } = await cli(args)
    expect(stderr).toContain('evaluating')
    expect(stdout).toMatch(/^split test; compared with .*untrained; clusters of queries: by clip \(6\)\n/)
    expect(stdout).toMatch(
      /text → audio +mAP@10 +[01]\.\d{3} +0\.\d{3} +\+0\.\d{3} +[+−][01]\.\d{3} … \+[01]\.\d{3} +0\.\d{3} +[01]\.\d{3}\n/,
    )
  })

  it('tests groups of runs by their means over seeds', async () => {
    const config = join(folder, 'run.json')
    const at = (name: string): string => join(folder, name)
    for (const [name, epochs, seed] of [
      ...[['short-1', 1, 1], ['short-2', 1, 2], ['long-1', 8, 1], ['long-2', 8, 2]], // prettier-ignore
    ] as const)
      await cliJson([
        ...['train', '--config', config, '--run', at(name)],
        ...['--set', `training.epochs=${epochs}`, '--set', `seed=${seed}`],
      ])
    const groups = ['short', 'long'].map((name) => `${name}=${at(`${name}-1`)},${at(`${name}-2`)}`)
    const args = ['compare', ...groups.flatMap((group) => ['--group', group]), '--measures', 'mAP@10']
    const rows = await cliJson<RunGroupComparison[]>(args)
    expect(rows).toHaveLength(2)
    const values = await Promise.all(
      ['long-1', 'long-2'].map((name) => cliJson<Evaluation>(['evaluate', at(name), '--measures', 'mAP@10'])),
    )
    const [first] = rows
    expect(first).toMatchObject({ groupA: 'long', groupB: 'short', seeds: [2, 2], measure: 'mAP@10' })
    expect(first!.a).toBeCloseTo(
      values.reduce((sum, { textToAudio }) => sum + textToAudio!['mAP@10']!, 0) / 2,
      12,
    )
    const plot = at('groups.html')
    const { stdout, stderr } = await cli([...args, '--plot', plot])
    expect(stderr).not.toContain('warning')
    expect(stdout).toMatch(
      /^split test; compared with short \(2 seeds\);.*\n.*\n.*\nlong \(2 seeds\) +text → audio/,
    )
    expect(await readFile(plot, 'utf8')).toContain('2 groups of models compared')
    const odd = await cli(['compare', ...['a', 'b'].flatMap((name, i) => [
      '--group', `${name}=${at(i === 0 ? 'short-1' : 'short-2')},${at(i === 0 ? 'long-1' : 'long-2')}`,
    ])]) // prettier-ignore
    expect(odd.stderr).toMatch(/group a have one seed/)
    expect(odd.stderr).toMatch(/group a differ in more than the seed: training\.epochs/)
  })

  it.each([
    [['run', '--group', 'a=x,y', '--group', 'b=z,w'], /Give runs or groups, not both: leave out run/],
    [['--group', 'a=x,y'], /two or more groups to compare, got one/],
    [['--group', 'a=x', '--group', 'b=z,w'], /two or more runs in the group a.*got one/],
    [['--group', 'x,y', '--group', 'b=z,w'], /Expected --group NAME=RUN,RUN, got x,y/],
    [['--group', 'a=x,y', '--group', 'b=x,w'], /x is given twice/],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await cli(['compare', ...args])
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
  })

  it('wants two runs', async () => {
    const { code, stderr } = await cli(['compare', run])
    expect(code).toBe(2)
    expect(stderr).toContain('Expected two or more runs to compare, got one.')
  })
})

describe.skipIf(notBuilt !== null)(`sonotext search${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  it('searches a folder, given as --audio or --manifest, and says what it passes over', async () => {
    const audio = join(folder, 'audio')
    await writeFile(join(audio, 'note.txt'), '')
    const [bySound, byManifest] = await Promise.all(
      ['--audio', '--manifest'].map((option) =>
        cli(['search', run, 'a low hum', option, audio, '-k', '1', '--json']),
      ),
    )
    const [found] = JSON.parse(bySound!.stdout) as FoundClips[]
    expect(found!.hits[0]!.id).toMatch(/^low-hum-\d+\.wav$/)
    expect(byManifest!.stdout).toBe(bySound!.stdout)
    expect(bySound!.stderr).toContain(`warning: ${audio}: passed over 1 .txt`)
    expect(existsSync(join(folder, 'audio', 'features'))).toBe(false)
    const two = await cli(['search', run, 'a hum', '--audio', audio, '--manifest', manifest])
    expect([two.code, two.stderr]).toEqual([2, expect.stringContaining('Expected one place to search')])
    const captions = await cliJson<FoundCaptions[]>(['search', run, '--audio', audio, '-k', '1'])
    expect(captions).toHaveLength(24)
    await rm(join(audio, 'note.txt'))
  })

  it('names --max-bad where too many clips are bad', async () => {
    const bad = join(folder, 'bad')
    await writeManifest(join(bad, 'm.jsonl'), [{ id: 'x', audio: join(bad, 'none.wav') }])
    const { code, stderr } = await cli(['search', run, 'a hum', '--manifest', join(bad, 'm.jsonl')])
    expect([code, stderr]).toEqual([1, expect.stringMatching(/1 of 1 clips are bad.*--max-bad/)])
  })

  it('finds the clips of several sentences', async () => {
    const found = await cliJson<FoundClips[]>([
      'search',
      run,
      'a high whistle',
      'the sound of a ticking clock',
      '--top',
      '3',
      '--split',
      'test',
    ])
    expect(found.map(({ query, hits }) => [query, hits.length])).toEqual([
      ['a high whistle', 3],
      ['the sound of a ticking clock', 3],
    ])
    expect(found.map(({ hits }) => hits[0]!.id)).toEqual(['high-whistle-19', 'ticking-clock-23'])
    expect(found[0]!.hits[0]).toMatchObject({
      rank: 1,
      audio: join(folder, 'audio', 'high-whistle-19.wav'),
      captions: ['a high whistle', 'the sound of a high whistle'],
    })
    const scores = found[0]!.hits.map(({ score }) => score)
    expect(scores).toEqual(scores.toSorted((a, b) => b - a))
  })

  it('searches recordings that nobody described', async () => {
    const { clips } = await readManifest(manifest)
    const bare = join(folder, 'bare.jsonl')
    await writeManifest(
      bare,
      clips.map(({ id, audio }) => ({ id, audio })),
    )
    const args = ['search', run, 'a high whistle', '--manifest', bare, '-k', '4']
    const [found] = await cliJson<FoundClips[]>(args)
    for (const { id, captions } of found!.hits) {
      expect(id).toMatch(/^high-whistle/)
      expect(captions).toEqual([])
    }
    const { stdout } = await cli(args, { cwd: folder })
    expect(stdout).toMatch(/^“a high whistle”\n {2}1\. \d\.\d{3} {2}audio\/high-whistle-\d+\.wav\n/)
  })

  it('finds the captions of recordings, beside sentences and alone', async () => {
    const audio = (name: string): string => join(folder, 'audio', `${name}.wav`)
    const both = await cliJson<(FoundClips | FoundCaptions)[]>([
      ...['search', run, 'a low hum', '--split', 'test', '-k', '2'],
      ...['--audio', audio('high-whistle-1'), '--audio', audio('ticking-clock-5')],
    ])
    expect(both.map(({ query }) => query)).toEqual([
      'a low hum',
      audio('high-whistle-1'),
      audio('ticking-clock-5'),
    ])
    const [, whistle, clock] = both as FoundCaptions[]
    expect(whistle!.hits.map(({ clip }) => clip)).toEqual(['high-whistle-19', 'high-whistle-19'])
    for (const { text } of clock!.hits) expect(text).toMatch(/ticking clock$/)
    const { code, stdout } = await cli(['search', run, '--audio', 'audio/high-whistle-1.wav', '-k', '1'], {
      cwd: folder,
    })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^audio\/high-whistle-1\.wav\n {2}1\. \d\.\d{3} {2}“.*high whistle”\n$/)
    const missing = await cli(['search', run, '--audio', 'none.wav'], { cwd: folder })
    expect([missing.code, missing.stdout]).toEqual([1, ''])
    expect(missing.stderr).toContain('none.wav: Expected an audio file, found nothing.')
  })

  it('says which words the model does not know, and refuses a sentence without words', async () => {
    const unknown = await cli(['search', run, 'a purring whistle', 'a xylophone'])
    expect(unknown.code).toBe(0)
    expect(unknown.stderr).toContain('warning: the model does not know: purring, xylophone')
    const none = await cli(['search', run, '...'])
    expect([none.code, none.stdout]).toEqual([2, ''])
    expect(none.stderr).toContain('Expected a sentence with words, got "..."')
  })
})
