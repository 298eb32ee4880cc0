import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeWav, writeWav } from '@sonotext/core/audio'
import { readManifest, writeManifest } from '@sonotext/core/data'
import { Rng } from '@sonotext/core/base'
import { guards } from '@sonotext/core/negatives'
import { tinyRun, writeToneClips } from '@sonotext/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, cliJson, notBuilt } from './testing/run-cli.js'

interface Check {
  manifest: string
  findings: { severity: string; kind: string; clip: string; file: string; message: string }[]
  summary: { clips: number; bad: number; badShare: number }
}

const bad = {
  missing: 'missing',
  truncated: 'corrupt',
  nan: 'not-finite',
  empty: 'empty',
  silent: 'silent',
  text: 'corrupt',
} as const

let folder: string
let manifest: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-check-'))
  await writeToneClips(folder, { splits: { train: 24, test: 6 } })
  const { clips } = await readManifest(join(folder, 'clips.jsonl'))
  const audio = (name: string): string => join(folder, 'audio', `${name}.wav`)
  const tone = Float32Array.from({ length: 4000 }, (_, i) => Math.sin(i / 7))
  await writeFile(audio('truncated'), encodeWav(tone, 8000).bytes.subarray(0, 4000))
  const nan = encodeWav(tone, 8000, { format: 'float32' }).bytes
  new DataView(nan.buffer, nan.byteOffset).setFloat32(nan.length - 400, NaN, true)
  await writeFile(audio('nan'), nan)
  await writeFile(audio('empty'), encodeWav(new Float32Array(0), 8000).bytes)
  await writeWav(audio('silent'), new Float32Array(8000), 8000)
  await writeFile(audio('text'), 'this is no audio at all, whatever its name says\n'.repeat(20))
  manifest = join(folder, 'some-bad.jsonl')
  const broken = Object.keys(bad).map((id) => ({
    id,
    audio: audio(id),
    split: 'train',
    captions: [`a broken clip, ${id}`],
  }))
  await writeManifest(manifest, [...clips.slice(0, 12), ...broken, ...clips.slice(12)])
})
afterAll(() => rm(folder, { recursive: true }))

describe.skipIf(notBuilt !== null)(`bad clips${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  it('check names each with its reason, exits 1 past the share and writes the good ones', async () => {
    const good = join(folder, 'good.jsonl')
    const refused = await cli(['check', manifest, '--json', '--out', good])
    expect(refused.code).toBe(1)
    const { findings, summary } = JSON.parse(refused.stdout) as Check
    const errors = findings.filter(({ severity }) => severity === 'error')
    expect(Object.fromEntries(errors.map(({ clip, kind }) => [clip, kind]))).toEqual(bad)
    for (const { file, clip } of errors) expect(file).toBe(join(folder, 'audio', `${clip}.wav`))
    expect(summary).toMatchObject({ clips: 36, bad: 6 })
    expect((await readManifest(good)).clips).toHaveLength(30)
    expect((await cli(['check', manifest, '--max-bad', '0.2'])).code).toBe(0)
    const clean = await cli(['check', good])
    expect(clean.code).toBe(0)
    expect(clean.stdout).toMatch(/30 clips \(train 24, test 6\), 60 captions, .*\nno bad clip\n$/)
  })

  it('near-duplicates: told, written for the guard of their names, or not looked for', async () => {
    const rng = new Rng(4, 'rain')
    let low = 0
    const rain = Float32Array.from({ length: 16_000 }, () => (low += 0.4 * (rng.normal() - low)) / 4)
    const audio = (name: string): string => join(folder, `${name}.wav`)
    await writeWav(audio('rain'), rain, 8000)
    await writeWav(audio('rain, again'), rain.subarray(4000), 8000)
    const twice = join(folder, 'twice.jsonl')
    await writeManifest(
      twice,
      ['rain', 'rain, again'].map((id) => ({ id, audio: audio(id), captions: [`it rains, ${id}`] })),
    )
    const csv = join(folder, 'pairs.csv')
    const { code, stdout, stderr } = await cli(['check', twice, '--duplicates', csv])
    expect([code, stderr]).toEqual([0, expect.stringContaining('1 pair that share sound')])
    expect(stdout).toMatch(
      /^warning near-duplicate {4}rain, again: shares 1\.\d s of sound with "rain"\. Keep one/,
    )
    expect((await readFile(csv, 'utf8')).split('\n').slice(0, 2)).toEqual([
      'clip,duplicate,at,duplicate_at,seconds',
      expect.stringMatching(/^rain,"rain, again",0\.5\d,0\.0\d,1\.\d\d$/),
    ])
    const guard = await guards.build({ type: 'duplicate-clips', file: csv })
    expect(guard.config).toEqual({
      pairs: [
        ['rain', 'rain, again'],
        ['rain, again', 'rain'],
      ],
    })
    expect((await cli(['check', twice, '--no-near-duplicates'])).stdout).toMatch(/^2 clips/)
  })

  it('a manifest with an unknown field is refused with its line and a suggestion', async () => {
    const wrong = join(folder, 'wrong.jsonl')
    await writeFile(
      wrong,
      `${await readFile(join(folder, 'clips.jsonl'), 'utf8')}{"id":"x","audio":"x.wav","caption":["a"]}\n`,
    )
    const { code, stderr, stdout } = await cli(['check', wrong, '--json'])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/wrong\.jsonl:31: .*"?caption"?.*captions/)
  })

  it('train goes on without them, warns, and writes down why', async () => {
    const config = join(folder, 'run.json')
    await writeFile(config, JSON.stringify({ ...tinyRun, data: { manifest, maxBadShare: 0.25 } }))
    const run = join(folder, 'run')
    const { code, stdout, stderr } = await cli(['train', '--config', config, '--run', run, '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ trainClips: 24, quarantined: 6 })
    const lines = (await readFile(join(run, 'quarantine.jsonl'), 'utf8')).trim().split('\n')
    const clips = lines.map((line) => JSON.parse(line) as { id: string; audio: string; reasons: string[] })
    expect(clips.map(({ id }) => id).toSorted()).toEqual(Object.keys(bad).toSorted())
    for (const { audio, reasons } of clips) expect(reasons.join()).toContain(audio)
    expect(stderr).toMatch(/warning: set aside "missing": .*missing\.wav: Expected an audio file/)
    expect(stderr).toContain('warning: set aside 1 more clip')
  })

  it('train refuses more of them than the configuration allows', async () => {
    const run = join(folder, 'refused')
    const { code, stdout, stderr } = await cli([
      'train',
      ...['--run', run, '--set', `data.manifest=${manifest}`, '--set', 'training.batchSize=4', '--json'],
    ])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(
      /6 of 30 clips are bad \(20 %, allowed 5 %\): "missing" \(.*, "truncated" .* and 3 more\./,
    )
  })

  it('a batch whose clips share one group has nothing to learn from: refused', async () => {
    const { clips } = await readManifest(join(folder, 'clips.jsonl'))
    const alike = join(folder, 'alike.jsonl')
    await writeManifest(
      alike,
      clips.map((clip) => ({ ...clip, group: 'one recording' })),
    )
    const { code, stderr } = await cli([
      'train',
      ...['--run', join(folder, 'alike'), '--set', `data.manifest=${alike}`, '--set', 'model.text.dim=16'],
    ])
    expect(code).toBe(1)
    expect(stderr).toMatch(/group/)
  })
})

describe.skipIf(notBuilt !== null)(`sonotext import${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  it('makes manifests that check and train take, from a CSV and from a folder alone', async () => {
    const csv = join(folder, 'captions.csv')
    const { clips } = await readManifest(join(folder, 'clips.jsonl'))
    const rows = clips.map(
      ({ audio, split, captions }) => `${audio.split('/').at(-1)},${split},${captions[0]!.text}`,
    )
    await writeFile(csv, ['file,split,caption', ...rows, ''].join('\n'))
    const out = join(folder, 'imported.jsonl')
    const args = ['import', '--from', 'folder', csv, '--audio', join(folder, 'audio'), '--out', out]
    expect(await cliJson(args)).toEqual({
      manifest: out,
      clips: 30,
      captions: 30,
      splits: { train: 24, test: 6 },
      missing: [],
    })
    expect((await cli(['check', out])).code).toBe(0)
    const bare = join(folder, 'bare.jsonl')
    const found = await cli([
      'import',
      '--from',
      'folder',
      join(folder, 'audio'),
      '--out',
      bare,
      '--split',
      'all',
    ])
    expect(found.code).toBe(0)
    expect(found.stdout).toContain('35 clips (all 35) with 0 captions')
  })

  it('takes the split of Clotho from the name of the file', async () => {
    const csv = join(folder, 'clotho_captions_development.csv')
    await writeFile(
      csv,
      'file_name,caption_1,caption_2,caption_3,caption_4,caption_5\nlow-hum-0.wav,one,two,three,four,five\n',
    )
    const out = join(folder, 'clotho.jsonl')
    const args = ['import', '--from', 'clotho', csv, '--audio', join(folder, 'audio'), '--out', out]
    expect(await cliJson(args)).toMatchObject({ splits: { development: 1 }, captions: 5 })
  })

  it('names missing columns and another encoding', async () => {
    const columns = join(folder, 'columns.csv')
    await writeFile(columns, 'file_name,caption_1\na.wav,one\n')
    const latin = join(folder, 'latin.csv')
    await writeFile(latin, Buffer.from('file,caption\na.wav,un caf\xe9\n', 'latin1'))
    const out = join(folder, 'none.jsonl')
    const [missing, encoding] = await Promise.all([
      cli(['import', '--from', 'clotho', columns, '--out', out]),
      cli(['import', '--from', 'folder', latin, '--out', out]),
    ])
    expect([missing.code, encoding.code]).toEqual([1, 1])
    expect(missing.stderr).toMatch(/columns\.csv.*caption_2/)
    expect(encoding.stderr).toMatch(/latin\.csv:2: expected UTF-8 text.*Save it as UTF-8/)
  })
})
