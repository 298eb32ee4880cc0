import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readManifest, writeManifest } from '@sonotext/core/data'
import { writeToneClips } from '@sonotext/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, cliJson, notBuilt } from './testing/run-cli.js'

let folder: string
const at = (name: string): string => join(folder, name)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-graded-'))
  await writeToneClips(folder, { splits: { train: 8, validation: 4 }, seconds: 0.3 })
  // Every caption fits its own clip, the next one of the split by half, and the one after that not at all.
  const { clips } = await readManifest(at('clips.jsonl'))
  const graded = clips.map((clip) => {
    const split = clips.filter((other) => other.split === clip.split)
    const place = split.indexOf(clip)
    const relevance = Object.fromEntries(
      [1, 0.5, 0].map((value, i) => [split[(place + i) % split.length]!.id, value]),
    )
    return { ...clip, captions: clip.captions.map((caption) => ({ ...caption, relevance })) }
  })
  await writeManifest(at('graded.jsonl'), graded)
  await writeFile(
    at('run.yaml'),
    `data: { manifest: clips.jsonl }
model: { text: { dim: 8, trainable: true }, similarity: pooled }
loss: { type: info-nce }
objectives:
  - name: lists
    source: { type: rated-lists, file: graded.jsonl, queries: 2, clips: 2 }
    loss:
      type: sum
      losses:
        - type: soft-target
          compare: list
          direction: text-to-audio
          targets: { type: relevance, file: graded.jsonl, temperature: 0.2 }
      weights: [0]
      endWeights: [1]
      over: [0, 1]
guards: [{ type: relevant-pairs, file: graded.jsonl, least: 0.5 }]
optimizer: { type: adam, lr: 0.01 }
training: { epochs: 2, batchSize: 4 }
validation: { measures: [nDCG@10, mAP@10], relevance: graded.jsonl, minGrade: 0.75, unjudged: left-out, monitor: nDCG@10 }
`,
  )
})
afterAll(() => rm(folder, { recursive: true }))

describe.skipIf(notBuilt !== null)(`graded relevance${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  const train = (run: string, ...more: string[]) =>
    cli(['train', '--config', at('run.yaml'), '--run', at(run), ...more])

  it('of a manifest is trained on in lists, guards, validates, and a run is gone on with bit for bit', async () => {
    const { code, stderr } = await train('whole')
    expect(stderr).not.toContain('expected')
    expect(code).toBe(0)
    const log = (await readFile(join(at('whole'), 'log.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number | string>)
    const steps = log.filter(({ kind }) => kind === 'step')
    for (const step of steps) expect(step['pairs']).toBe(4 + 2 * 2)
    // The weight of the lists grows from nothing to 1 over the first epoch.
    expect(steps[0]!['lists.loss']).toBe(0)
    expect(steps.at(-1)!['lists.loss']).toBeGreaterThan(0)
    const epochs = log.filter(({ kind }) => kind === 'epoch')
    for (const epoch of epochs) {
      expect(epoch['validation.textToAudio.nDCG@10']).toBeGreaterThan(0.3)
      expect(epoch['validation.textToAudio.nDCG@10']).toBeLessThanOrEqual(1)
    }
    await train('parts', '--set', 'training.epochs=1')
    expect((await train('parts', '--resume')).code).toBe(0)
    const [a, b] = await Promise.all(
      ['whole', 'parts'].map((run) => readFile(join(at(run), 'model.safetensors'))),
    )
    expect(b).toEqual(a)
  })

  it('is what evaluate, compare and metrics measure against', async () => {
    const graded = ['--split', 'validation', '--relevance', at('graded.jsonl'), '--measures', 'nDCG@10']
    type Of = { textToAudio: Record<string, number>; judgedShare: { textToAudio: Record<string, number> } }
    const found = await cliJson<Of>(['evaluate', at('whole'), ...graded])
    expect(found.textToAudio['nDCG@10']).toBeGreaterThan(0.3)
    // Three of four clips are judged with every caption.
    expect(found.judgedShare.textToAudio['nDCG@10']).toBeCloseTo(0.75, 6)
    const plot = at('compared.html')
    const { stdout, code } = await cli(['compare', at('whole'), at('parts'), ...graded, '--plot', plot])
    expect(code).toBe(0)
    expect(stdout).toContain(plot)
    expect(await readFile(plot, 'utf8')).toMatch(
      /2 models compared[^]*Differences from whole on[^]*<svg[^]*nDCG@10/,
    )
    const { clips } = await readManifest(at('graded.jsonl'))
    const own = clips.filter(({ split }) => split === 'validation')
    await writeFile(
      at('run.txt'),
      own.flatMap(({ id, captions }) => captions.map((caption) => `${caption.id} Q0 ${id} 1 5 t\n`)).join(''),
    )
    const measured = await cliJson<Of>([
      ...['metrics', '--run', at('run.txt'), '--truth', at('graded.jsonl'), '--measures', 'nDCG@1'],
    ])
    expect(measured.textToAudio['nDCG@1']).toBeGreaterThan(0)
  })

  it('that knows none of the captions is refused by name', async () => {
    await writeFile(at('strange.csv'), 'query,item,relevance\nx,y,1\nx,z,0\n')
    const lists = await train(
      'strange',
      '--set',
      `objectives=[]`,
      '--set',
      `validation.relevance=${at('strange.csv')}`,
    )
    expect(lists.code).not.toBe(0)
    expect(lists.stderr).toMatch(/strange\.csv.*knows "x" and "y", the validation clips/)
    const guard = { type: 'relevant-pairs', file: at('strange.csv') }
    const guarded = await train('guarded', '--set', `guards=${JSON.stringify([guard])}`)
    expect(guarded).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/strange\.csv.*knows "x" and "y"/),
    })
    const evaluated = await cli([
      ...['evaluate', at('whole'), '--split', 'validation', '--relevance', at('strange.csv')],
    ])
    expect(evaluated).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/knows "x" and "y", the clips/),
    })
  })

  it('and files are opened before the features; relevance that lets the monitor choose nothing is refused', async () => {
    const cache = at('cache-of-nothing')
    const early = (...set: string[]) =>
      train('early', ...[`data.cache=${cache}`, ...set].flatMap((one) => ['--set', one]))
    const missing = await early(`guards=${JSON.stringify([{ type: 'given-pairs', file: at('none.csv') }])}`)
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining('none.csv') })
    const { clips } = await readManifest(at('graded.jsonl'))
    const flat = clips.flatMap(({ captions }) =>
      captions.flatMap(({ id, relevance }) => Object.keys(relevance!).map((item) => `${id},${item},0.5\n`)),
    )
    await writeFile(at('flat.csv'), `query,item,relevance\n${flat.join('')}`)
    expect(await early(`validation.relevance=${at('flat.csv')}`, 'validation.minGrade=0.5')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /flat\.csv: validation\.monitor: nDCG@10 is the same for every ranking.*unjudged: irrelevant/,
      ),
    })
    expect(existsSync(cache)).toBe(false)
  })
})
