import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { referenceBackend } from '../backend/reference/index.js'
import { matrix, Rng } from '../base/index.js'
import { guards, negativeQuery, relevantPairs, strategies, unjudgedPairs } from '../negatives/index.js'
import { Tape } from '../nn/tape.js'
import { aggregateRatings, parseRatings } from '../relevance/index.js'
import { pooled } from '../similarity/index.js'
import {
  gradedMarginLoss,
  infoNceLoss,
  LossInput,
  losses,
  relevanceTargets,
  sameClipTargets,
  softTargetLoss,
  sumLoss,
  type Targets,
  targets,
  tripletLoss,
} from './index.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-targets-'))
})
afterAll(() => rm(folder, { recursive: true }))

const text = 'query,item,relevance\na#1,b,0.5\na#1,c,0\nb#1,b,0.75\n'
const relevances = aggregateRatings(parseRatings(text, 'x.csv'))
const items = ['a', 'b', 'c'].map((id, group) => ({
  clip: { id },
  caption: { id: `${id}#1`, text: id },
  group,
}))
const query = negativeQuery(items)
/** As a matrix clips × captions, however they are written down. */
function weightsOf(made: Targets): number[] {
  const weights = made.weights(query)
  if ('data' in weights) return [...weights.data]
  const all = new Array<number>(9).fill(0)
  for (let i = 0; i < 3; i++)
    for (let e = weights.offsets[i]!; e < weights.offsets[i + 1]!; e++)
      all[3 * i + weights.index[e]!] = weights.weights[e]!
  return all
}

describe('targets from graded relevance', () => {
  test('softmax, shares and further positives; what nobody judged is as the options say', () => {
    const share = relevanceTargets(relevances, { form: 'share', own: 0.9, unjudged: 0.25 })
    // Clips × captions: only caption a#1 is judged with others, b#1 with its own clip.
    expect(weightsOf(share)).toEqual([0.9, 0.25, 0.25, 0.5, 0.75, 0.25, 0, 0.25, 0.9].map(Math.fround))
    const soft = weightsOf(relevanceTargets(relevances, { temperature: 0.5 }))
    expect(soft[3]! / soft[0]!).toBeCloseTo(Math.exp(-0.5 / 0.5), 6)
    const binary = relevanceTargets(relevances, { form: 'binary', threshold: 0.5 })
    expect(weightsOf(binary)).toEqual([1, 0, 0, 1, 1, 0, 0, 0, 1])
    expect(binary.weights(query)).not.toHaveProperty('data')
    expect(weightsOf(relevanceTargets(relevances, { form: 'share', own: 0.9 }))).toEqual(
      [0.9, 0, 0, 0.5, 0.75, 0, 0, 0, 0.9].map(Math.fround),
    )
    const strict = relevanceTargets(relevances, { form: 'binary', threshold: 0.8 })
    expect(weightsOf(strict)).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1])
  })

  test('from a configuration, and what is wrong with it', async () => {
    const file = join(folder, 'relevance.csv')
    await writeFile(file, text)
    expect(weightsOf(targets.build({ type: 'relevance', file, form: 'binary' }))).toEqual(
      weightsOf(relevanceTargets(relevances, { form: 'binary' })),
    )
    expect(() => targets.build({ type: 'relevance', file: join(folder, 'none.csv') })).toThrow(
      expect.objectContaining({ code: 'MISSING_FILE' }),
    )
    expect(() => relevanceTargets(relevances, { temperature: 0 })).toThrow(/temperature/)
    expect(() => relevanceTargets(relevances, { form: 'rank' as never })).toThrow(/softmax/)
    const guard = await guards.build({ type: 'relevant-pairs', file, least: 0.4 })
    expect([...guard.pairs(query)]).toEqual([[1, 0]])
  })
})

describe('guards by graded relevance', () => {
  test('hold for every strategy: a pair that is rated as fitting is never picked', () => {
    const guarded = negativeQuery(items, {
      guards: [relevantPairs(relevances, 0.5)],
      planes: Object.fromEntries(
        (['audio-text', 'text-text', 'audio-audio'] as const).map((plane) => [
          plane,
          matrix(
            3,
            3,
            Float32Array.from({ length: 9 }, (_, i) => Math.sin(i) / 2),
          ),
        ]),
      ),
    })
    for (const name of strategies.names.filter((one) => one !== 'queue')) {
      const { audio } = strategies.build(name).select(guarded, new Rng(1, name))
      // Clip b fits caption a#1.
      expect([...audio.index.subarray(audio.offsets[0], audio.offsets[1])], name).not.toContain(1)
    }
  })

  test('unjudged pairs can be left out', () => {
    expect([...unjudgedPairs(relevances).pairs(query)].sort()).toEqual([
      [0, 1],
      [0, 2],
      [1, 2],
      [2, 1],
    ])
    expect(() => relevantPairs(relevances, 0)).toThrow(/above 0/)
  })
})

const backend = referenceBackend()
function input(tape: Tape, epoch = 0): LossInput {
  const rng = new Rng(9, 'vectors')
  const side = () => ({
    values: tape.constant(
      [3, 1, 4],
      Float32Array.from({ length: 12 }, () => rng.normal()),
    ),
    lengths: new Int32Array(3).fill(1),
  })
  return new LossInput(tape, pooled(), { audio: side(), text: side(), items, epoch })
}
const valueOf = (loss: Parameters<typeof sumLoss>[0]['losses'][number], epoch = 0) => {
  using tape = new Tape(backend)
  return loss.build(backend).compute(input(tape, epoch), new Rng(1)).loss.item()
}

describe('sums of losses', () => {
  const [contrastive, list] = [
    infoNceLoss(),
    softTargetLoss({ targets: relevanceTargets(relevances), direction: 'text-to-audio' }),
  ]

  test('weights, and weights that change with the epoch', () => {
    const [a, b] = [valueOf(contrastive), valueOf(list)]
    expect(valueOf(sumLoss({ losses: [contrastive, list], weights: [1, 0.5] }))).toBeCloseTo(a + 0.5 * b, 4)
    const ramp = sumLoss({ losses: [contrastive, list], weights: [1, 0], endWeights: [0.5, 2], over: [2, 6] })
    for (const [epoch, wa, wb] of [
      [0, 1, 0],
      [2, 1, 0],
      [4, 0.75, 1],
      [9, 0.5, 2],
    ] as const)
      expect(valueOf(ramp, epoch), `epoch ${epoch}`).toBeCloseTo(wa * a + wb * b, 4)
  })

  test('mixed targets: hard and soft with weight 1 each are twice the loss of half and half', () => {
    const soft = relevanceTargets(relevances)
    const hard = softTargetLoss({ targets: sameClipTargets() })
    const both = sumLoss({ losses: [hard, softTargetLoss({ targets: soft })] })
    expect(valueOf(both)).toBeCloseTo(2 * valueOf(softTargetLoss({ targets: soft, hard: 0.5 })), 4)
  })

  test('from a configuration; weights that do not fit are refused', () => {
    const built = losses.build({ type: 'sum', losses: ['info-nce', 'sigmoid'], weights: [1, 2] })
    expect(built.name).toBe('sum-info-nce-sigmoid')
    expect(() => sumLoss({ losses: [contrastive], weights: [1, 2] })).toThrow(/1 weights/)
    expect(() => sumLoss({ losses: [contrastive], weights: [-1] })).toThrow(/0 or more/)
    expect(() => sumLoss({ losses: [contrastive], over: [3, 3] })).toThrow(/rise/)
    expect(() => sumLoss({ losses: [] })).toThrow(/one loss/)
  })
})

test('a graded margin asks for less lead where relevance is more', () => {
  const none = gradedMarginLoss({ targets: relevanceTargets(relevances, { form: 'share', unjudged: 0 }) })
  const plain = tripletLoss({ negatives: strategies.build('full-batch') })
  const nothing = aggregateRatings(parseRatings('query,item,relevance\nx,y,0\n', 'x.csv'))
  const ungraded = gradedMarginLoss({ targets: relevanceTargets(nothing, { form: 'share' }) })
  expect(valueOf(ungraded)).toBeCloseTo(valueOf(plain), 5)
  expect(valueOf(none)).toBeLessThan(valueOf(plain))
  expect(() => gradedMarginLoss({ targets: sameClipTargets(), margin: 0 })).toThrow(/margin/)
})
