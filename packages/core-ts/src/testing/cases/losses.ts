import { type AnyOpCase, aroundWidths, blank, type OpCase } from './op-case.js'

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
}

function infoNce(what: string, shape: InfoNceShape): OpCase<'info_nce'> {
  const { n, d, positives, clips = n, temperature = 0.07, exclude = 0, fixed = false } = shape
  const { flat = false, large = false } = shape
  return {
    op: 'info_nce',
    name: `${n} × ${d}, ${clips} clips, positives ${positives} ${what}`,
    args: (draw) => {
      const lists = exclude === 0 ? null : draw.lists(n, n, exclude)
      const one = draw.unitRows(1, d)
      const same = (): Float64Array => Float64Array.from({ length: n * d }, (_, i) => one[i % d]!)
      return {
        audio: flat ? same() : draw.unitRows(n, d),
        text: flat ? same() : draw.unitRows(n, d),
        groups: draw.indices(n, Math.max(clips, 1)),
        excludeOffsets: lists?.offsets ?? null,
        excludeIndex: lists?.index ?? null,
        logTemperature: Float64Array.of(Math.fround(Math.log(temperature))),
        gradAudio: blank(n * d),
        gradText: blank(n * d),
        gradLogTemperature: fixed ? null : blank(1),
        stats: blank(4),
        ...{ n, d, positives },
      }
    },
    smooth: !flat && !large,
    scale: flat ? 1 / temperature : 0, // the gradients of equal items cancel to 0
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

export const lossCases: readonly AnyOpCase[] = [...tripletCases, ...infoNceCases]
