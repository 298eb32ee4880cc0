import { type AnyOpCase, aroundWidths, blank, type Draw, type OpCase } from './op-case.js'

interface TripletShape {
  n: number
  most: number
  margin: number
  /** All scores equal: every hinge is the margin itself. */
  flat?: boolean
}

function triplet(what: string, { n, most, margin, flat = false }: TripletShape): OpCase<'triplet'> {
  return {
    op: 'triplet',
    name: `${n} pairs, 0 to ${most} picks, margin ${margin} ${what}`,
    args: (draw) => {
      const audio = draw.lists(n, n, most)
      const text = draw.lists(n, n, most)
      return {
        scores: flat ? new Float64Array(n * n).fill(0.25) : draw.uniform(n * n, 0, 1),
        audioOffsets: audio.offsets,
        audioIndex: audio.index,
        textOffsets: text.offsets,
        textIndex: text.index,
        gradScores: blank(n * n),
        stats: blank(4),
        n,
        margin,
      }
    },
    smooth: !flat,
  }
}

const tripletCases = [
  ...aroundWidths.map((n) => triplet('', { n, most: n === 0 ? 0 : 3, margin: 0.5 })),
  triplet('nothing picked', { n: 6, most: 0, margin: 0.5 }),
  triplet('many picks', { n: 40, most: 39, margin: 0.2 }),
  triplet('hinges of exactly 0', { n: 9, most: 3, margin: 0, flat: true }),
  triplet('equal scores', { n: 9, most: 3, margin: 1, flat: true }),
  triplet('no hinge active', { n: 9, most: 3, margin: -2 }),
]

interface InfoNceShape {
  n: number
  d: number
  positives: 0 | 1
  /** Clips in the batch; fewer than n makes groups. */
  clips?: number
  temperature?: number
  /** Up to this many left-out pairs for each item; 0 gives null lists. */
  exclude?: number
  /** The learned temperature's gradient is not asked for. */
  fixed?: boolean
  /** Every item the same vector. */
  flat?: boolean
  /** Too many values for finite differences. */
  large?: boolean
  /** The scores themselves in place of clips and captions; d is n. */
  scores?: boolean
  /** Weights for all pairs, or for up to so many of each clip. */
  targets?: 'all' | number
  hard?: number
  toText?: number
  toAudio?: number
}

/** Clips and captions, or their scores, with what is left out: what losses over all pairs of a batch take. */
function pairArgs(draw: Draw, shape: InfoNceShape) {
  const { n, d, positives, clips = n, temperature = 0.07, exclude = 0, fixed = false } = shape
  const { flat = false, scores = false } = shape
  const lists = exclude === 0 ? null : draw.lists(n, n, exclude)
  const one = draw.unitRows(1, d)
  const rows = (): Float64Array =>
    flat ? Float64Array.from({ length: n * d }, (_, i) => one[i % d]!) : draw.unitRows(n, d)
  return {
    audio: scores ? draw.uniform(n * n, -1, 1) : rows(),
    text: scores ? null : rows(),
    groups: draw.indices(n, Math.max(clips, 1)),
    excludeOffsets: lists?.offsets ?? null,
    excludeIndex: lists?.index ?? null,
    logTemperature: Float64Array.of(Math.fround(Math.log(temperature))),
    gradAudio: blank(n * d),
    gradText: scores ? null : blank(n * d),
    gradLogTemperature: fixed ? null : blank(1),
    stats: blank(4),
    ...{ n, d, positives },
  }
}

function targetsOf(draw: Draw, n: number, targets: InfoNceShape['targets']) {
  const none = { targets: null, targetOffsets: null, targetIndex: null, targetWeights: null }
  if (targets === undefined) return none
  if (targets === 'all') return { ...none, targets: draw.uniform(n * n, 0, 1) }
  const { offsets, index } = draw.lists(n, n, targets)
  const targetWeights = draw.uniform(index.length, 0, 2)
  return { ...none, targetOffsets: offsets, targetIndex: index, targetWeights }
}

function infoNce(what: string, shape: InfoNceShape): OpCase<'info_nce'> {
  const { n, d, positives, clips = n, temperature = 0.07, targets, hard = 1, toText = 1, toAudio = 1 } = shape
  return {
    op: 'info_nce',
    name: `${n} × ${d}, ${clips} clips, positives ${positives} ${what}`,
    args: (draw) => ({
      ...pairArgs(draw, shape),
      ...targetsOf(draw, n, targets),
      ...{ hard, toText, toAudio },
    }),
    smooth: !shape.flat && !shape.large,
    scale: shape.flat || n === 1 ? 1 / temperature : 0, // the gradients of equal items cancel to 0
  }
}

interface SigmoidPairShape extends InfoNceShape {
  bias?: number
}

function sigmoidPair(what: string, shape: SigmoidPairShape): OpCase<'sigmoid_pair'> {
  const { n, d, positives, clips = n, bias = -1, fixed = false, flat = false, large = false } = shape
  return {
    op: 'sigmoid_pair',
    name: `${n} × ${d}, ${clips} clips, positives ${positives} ${what}`,
    args: (draw) => ({
      ...pairArgs(draw, { temperature: 0.2, ...shape }),
      bias: Float64Array.of(Math.fround(bias)),
      gradBias: fixed ? null : blank(1),
    }),
    smooth: !flat && !large,
  }
}

const infoNceCases = ([0, 1] as const).flatMap((positives) => [
  ...aroundWidths.flatMap((size) => [
    infoNce('pairs', { n: size, d: 6, positives, clips: Math.ceil(size / 2) }),
    infoNce('depth', { n: 5, d: size, positives, temperature: 0.5 }),
    infoNce('with excluded pairs', { n: size, d: 5, positives, clips: size * 2, exclude: 3 }),
  ]),
  infoNce('one clip in the whole batch', { n: 9, d: 5, positives, clips: 1 }),
  infoNce('temperature fixed', { n: 9, d: 5, positives, fixed: true }),
  infoNce('temperature 0.001', { n: 9, d: 5, positives, temperature: 0.001 }),
  infoNce('temperature 100', { n: 9, d: 5, positives, temperature: 100 }),
  infoNce('all items equal', { n: 9, d: 5, positives, flat: true }),
  infoNce('beyond one tile', { n: 300, d: 70, positives, clips: 100, exclude: 2 }),
  infoNce('beyond one slab', { n: 2200, d: 2, positives, clips: 700, exclude: 1, large: true }),
  infoNce('beyond one slab, one clip', { n: 2200, d: 2, positives, clips: 1, large: true }),
])

const inSeveralSlabs = infoNce('in several slabs', {
  ...{ n: 4200, d: 2, positives: 0, clips: 2000, exclude: 1, large: true },
})

const softTargetCases = ([0, 1] as const).flatMap((positives) => [
  ...aroundWidths.flatMap((size) => [
    infoNce('soft targets', { n: size, d: 6, positives, targets: 'all', hard: 0 }),
    infoNce('few soft targets', { n: size, d: 6, positives, targets: 3, hard: 0.25, exclude: 2 }),
    infoNce('scores', { n: size, d: size, positives, clips: size * 2, exclude: 2, scores: true }),
  ]),
  infoNce('soft targets of scores', { n: 20, d: 20, positives, targets: 'all', hard: 0.5, scores: true }),
  infoNce('soft targets, only to text', { n: 9, d: 5, positives, targets: 'all', hard: 0, toAudio: 0 }),
  infoNce('soft targets, only to audio', { n: 9, d: 5, positives, targets: 3, hard: 0.5, toText: 0 }),
  infoNce('unlike directions', { n: 9, d: 5, positives, toText: 0.3, toAudio: 2 }),
  infoNce('soft targets, temperature 0.001', {
    ...{ n: 9, d: 5, positives, targets: 'all', hard: 0, temperature: 0.001 },
  }),
])
const softBeyondOneSlab = infoNce('soft targets beyond one slab', {
  ...{ n: 2200, d: 2, positives: 1, clips: 700, targets: 9, hard: 0.5, exclude: 1, large: true },
})

const sigmoidPairCases = ([0, 1] as const).flatMap((positives) => [
  ...aroundWidths.flatMap((size) => [
    sigmoidPair('pairs', { n: size, d: 6, positives, clips: Math.ceil(size / 2) }),
    sigmoidPair('depth', { n: 5, d: size, positives }),
    sigmoidPair('with excluded pairs', { n: size, d: 5, positives, clips: size * 2, exclude: 3 }),
    sigmoidPair('scores', { n: size, d: size, positives, exclude: 2, scores: true }),
  ]),
  sigmoidPair('one clip in the whole batch', { n: 9, d: 5, positives, clips: 1 }),
  sigmoidPair('nothing learned', { n: 9, d: 5, positives, fixed: true }),
  sigmoidPair('as it starts', { n: 33, d: 5, positives, temperature: 0.1, bias: -10 }),
  sigmoidPair('temperature 0.001', { n: 9, d: 5, positives, temperature: 0.001 }),
  sigmoidPair('all items equal', { n: 9, d: 5, positives, flat: true }),
  sigmoidPair('beyond one tile', { n: 300, d: 70, positives, clips: 100, exclude: 2 }),
])
const sigmoidBeyondOneSlab = sigmoidPair('beyond one slab', {
  ...{ n: 2200, d: 2, positives: 0, clips: 700, exclude: 1, large: true },
})

export const lossCases: readonly AnyOpCase[] = [
  ...tripletCases,
  ...infoNceCases,
  inSeveralSlabs,
  ...softTargetCases,
  softBeyondOneSlab,
  ...sigmoidPairCases,
  sigmoidBeyondOneSlab,
]
