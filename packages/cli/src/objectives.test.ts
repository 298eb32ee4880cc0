import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadModel } from '@sonotext/core/models'
import { writeToneClips } from '@sonotext/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, notBuilt } from './testing/run-cli.js'

let folder: string
const at = (name: string): string => join(folder, name)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-objectives-'))
  await writeToneClips(folder, { splits: { train: 8, noisy: 6, validation: 4 }, seconds: 0.3 })
  await writeFile(
    at('run.yaml'),
    `data: { manifest: clips.jsonl }
model: { text: { dim: 8, trainable: true }, similarity: pooled }
loss: { type: info-nce, learnable: true }
objectives:
  - loss: { type: triplet, negatives: random }
    weight: 0.5
    source: { type: clips, split: noisy, items: pair, batchSize: 3 }
    name: ranking
  - loss: { type: triplet, margin: 0.2, negatives: full-batch }
optimizer:
  type: adamw
  lr: 0.01
  groups:
    - { names: text.*, rate: 0 }
    - { names: [loss.*], rate: 0.1, weightDecay: 0 }
training: { epochs: 2, batchSize: 4 }
validation: { measures: [] }
`,
  )
})
afterAll(() => rm(folder, { recursive: true }))

const train = (run: string, ...more: string[]) =>
  cli(['train', '--config', at('run.yaml'), '--run', at(run), ...more])
const steps = async (run: string) =>
  (await readFile(join(at(run), 'log.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number | string>)
    .filter(({ kind }) => kind === 'step')

describe.skipIf(notBuilt !== null)(`objectives${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  it('of a configuration are trained with, and gone on with bit for bit', async () => {
    const { code, stderr } = await train('whole')
    expect(stderr).not.toContain('expected')
    expect(code).toBe(0)
    const log = await steps('whole')
    expect(log).toHaveLength(4)
    for (const step of log) {
      const [main, ranking, further] = ['info-nce', 'ranking', 'triplet-full-batch'].map(
        (name) => step[`${name}.loss`] as number,
      )
      expect(step['loss']).toBeCloseTo(main! + 0.5 * ranking! + further!, 5)
      expect(step['pairs']).toBe(4 + 3)
    }
    await train('parts', '--set', 'training.epochs=1')
    expect((await train('parts', '--resume')).code).toBe(0)
    const [a, b] = await Promise.all(
      ['whole', 'parts'].map((run) => readFile(join(at(run), 'model.safetensors'))),
    )
    expect(b).toEqual(a)
  })

  it('have parameter groups beside them: one of rate 0 is left as it was, the rest is not', async () => {
    await train(
      'still',
      '--set',
      'training.epochs=1',
      '--set',
      'optimizer.lr=1e-9',
      '--set',
      'schedule.type=constant',
    )
    const [trained, still] = await Promise.all(['whole', 'still'].map((run) => loadModel(at(run))))
    const differ = (name: string) =>
      trained!
        .state()
        .get(name)!
        .data.some((x, i) => Math.abs(x - still!.state().get(name)!.data[i]!) > 1e-6)
    const names = [...trained!.parameters().keys()]
    expect(names.filter((name) => name.startsWith('text.')).some(differ)).toBe(false)
    expect(names.filter((name) => name.startsWith('audio.')).some(differ)).toBe(true)
  })

  it('take turns', async () => {
    expect((await train('turns', '--set', 'training.mix=turns', '--set', 'training.epochs=1')).code).toBe(0)
    const log = await steps('turns')
    expect(log.map((step) => 'ranking.loss' in step)).toEqual([false, true, false, true])
  })

  it.each([
    ['objectives[0]: weight and name', { weight: 0 }, /objectives\[0\]\.weight: must be > 0, got 0/],
    [
      'a key that there is not',
      { wieght: 2 },
      /unknown key objectives\[0\]\.wieght.*objectives\[0\]\.weight/,
    ],
    ['no loss', { loss: undefined }, /missing key objectives\[0\]\.loss/],
    ['a source that is none', { source: 'rain' }, /objectives\[0\]\.source\.type: expected one of clips/],
    ['two of one name', { loss: 'info-nce' }, /"info-nce" twice/],
    ['a split that is not there', { source: { type: 'clips', split: 'nosy' } }, /split "nosy".*noisy/],
  ])('are refused by name: %s', async (_, change, message) => {
    const objective = { loss: { type: 'triplet' }, ...change }
    const config = { data: { manifest: 'clips.jsonl' }, loss: 'info-nce', objectives: [objective] }
    await writeFile(at('wrong.json'), JSON.stringify(config))
    const { code, stderr } = await cli(['train', '--config', at('wrong.json'), '--run', at('wrong')])
    expect(stderr).toMatch(message)
    expect(code).not.toBe(0)
  })

  it('groups that name nothing are refused', async () => {
    const { stderr } = await train('none', '--set', 'optimizer.groups=[{"names":"nothing"}]')
    expect(stderr).toMatch(/a group that names a parameter.*nothing.*audio\./)
    const wrong = await train('none', '--set', 'optimizer.groups=[{"rate":2}]')
    expect(wrong.stderr).toMatch(/missing key optimizer\.groups\[0\]\.names/)
  })
})
