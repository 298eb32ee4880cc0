import { type AnyOpCase, aroundWidths, blank, type Draw, type OpCase, oracle } from './op-case.js'

interface GruShape {
  n?: number
  t?: number
  in?: number
  hidden?: number
  directions: 1 | 2
  scale?: number
}

function gru(what: string, shape: GruShape): AnyOpCase[] {
  const { n = 2, t = 3, in: width = 4, hidden = 5, directions, scale = 1 } = shape
  const sizes = { n, t, in: width, hidden, directions }
  const gates = directions * 3 * hidden
  const bound = 1 / Math.sqrt(Math.max(hidden, 1))
  const name = `${n}×${t}, ${width} → ${directions}·${hidden} ${what}`
  const forward: OpCase<'gru'> = {
    op: 'gru',
    name,
    args: (draw) => ({
      x: draw.normal(n * t * width, scale),
      wIh: draw.uniform(gates * width, -bound, bound),
      wHh: draw.uniform(gates * hidden, -bound, bound),
      bIh: draw.uniform(gates, -bound, bound),
      bHh: draw.uniform(gates, -bound, bound),
      out: blank(n * t * directions * hidden),
      saved: blank(directions * n * t * 4 * hidden),
      ...sizes,
    }),
    opaque: ['saved'],
  }
  const backward = (wantsX: boolean): OpCase<'gru_backward'> => ({
    op: 'gru_backward',
    name: `${name}${wantsX ? '' : ', gradients of the weights alone'}`,
    args: (draw) => {
      const { x, wIh, wHh, bHh, out, saved } = forward.args(draw)
      return {
        ...{ x, wIh, wHh, bHh, out, saved },
        gradOut: draw.normal(out.length),
        gradX: wantsX ? blank(x.length) : null,
        gradWIh: blank(wIh.length),
        gradWHh: blank(wHh.length),
        gradBIh: blank(gates),
        gradBHh: blank(gates),
        ...sizes,
      }
    },
    before: (run, { x, wIh, wHh, bHh, out, saved }, draw) => {
      run('gru', { x, wIh, wHh, bIh: draw(gates), bHh, out, saved, ...sizes })
    },
  })
  return [forward, backward(true), backward(false)]
}

const gruCases = ([1, 2] as const).flatMap((directions) => [
  ...aroundWidths.flatMap((size) => [
    ...gru('batch', { n: size, directions }),
    ...gru('inputs', { in: size, directions }),
    ...gru('hidden', { hidden: size, directions }),
  ]),
  ...[0, 1, 20].flatMap((t) => gru('steps', { t, directions })),
  ...gru('large inputs', { directions, scale: 10, t: 5 }),
  // Forward alone: where 1 - z is less than one rounding of z, no float32 backward is accurate.
  ...gru('saturated gates', { directions, scale: 300, t: 5 }).filter(({ op }) => op === 'gru'),
  ...gru('as in the thesis network', { n: 3, t: 12, in: 128, hidden: 150, directions }),
])

function interpolate(what: string, n: number, l: number, t: number, c: number): AnyOpCase[] {
  const sizes = { n, l, t, c }
  const name = `${n}×${l}×${c} to ${t} ${what}`
  return [
    {
      op: 'interpolate',
      name,
      args: (draw) => ({ x: draw.normal(n * l * c), out: blank(n * t * c), ...sizes }),
    },
    {
      op: 'interpolate_backward',
      name,
      args: (draw) => ({ gradOut: draw.normal(n * t * c), gradX: blank(n * l * c), ...sizes }),
    },
  ]
}

const interpolateCases = [
  ...aroundWidths.flatMap((size) => [
    ...interpolate('channels', 2, 3, 10, size),
    ...interpolate('target', 2, 5, size, 4),
    ...(size === 0 ? [] : interpolate('source', 2, size, 20, 4)),
  ]),
  ...interpolate('no images', 0, 3, 7, 2),
  ...interpolate('no source and no target', 2, 0, 0, 3),
  ...interpolate('the same length', 2, 9, 9, 3),
  ...interpolate('as in the thesis network', 2, 125, 500, 30),
]

function embedding(what: string, vocabulary: number, count: number, d: number): AnyOpCase[] {
  const sizes = { vocabulary, count, d }
  const name = `${count} of ${vocabulary} × ${d} ${what}`
  return [
    {
      op: 'embedding',
      name,
      args: (draw) => ({
        table: draw.normal(vocabulary * d),
        tokens: draw.indices(count, vocabulary),
        out: blank(count * d),
        ...sizes,
      }),
    },
    {
      op: 'embedding_backward',
      name,
      args: (draw) => ({
        tokens: draw.indices(count, vocabulary),
        gradOut: draw.normal(count * d),
        gradTable: blank(vocabulary * d),
        ...sizes,
      }),
    },
  ]
}

const embeddingCases = [
  ...aroundWidths.flatMap((size) => [
    ...embedding('tokens', 5, size, 4),
    ...embedding('depth', 5, 9, size),
    ...(size === 0 ? [] : embedding('vocabulary', size, 9, 4)),
  ]),
  ...embedding('nothing', 0, 0, 4),
  ...embedding('many times the same token', 3, 2000, 33),
]

function maskedMean(what: string, n: number, t: number, c: number): AnyOpCase[] {
  const sizes = { n, t, c }
  const name = `${n}×${t}×${c} ${what}`
  const forward = (poison: boolean): OpCase<'masked_mean'> => ({
    op: 'masked_mean',
    name: poison ? `${name}, NaN in the padding` : name,
    args: (draw) => {
      const lengths = draw.lengths(n, t)
      const x = draw.normal(n * t * c)
      if (poison) lengths.forEach((length, i) => x.fill(Number.NaN, (i * t + length) * c, (i + 1) * t * c))
      return { x, lengths, out: blank(n * c), ...sizes }
    },
    smooth: !poison,
  })
  return [
    forward(false),
    forward(true),
    {
      op: 'masked_mean_backward',
      name,
      args: (draw) => ({
        gradOut: draw.normal(n * c),
        lengths: draw.lengths(n, t),
        gradX: blank(n * t * c),
        ...sizes,
      }),
    },
  ]
}

const maskedMeanCases = [
  ...aroundWidths.flatMap((size) => [
    ...maskedMean('rows', size, 4, 3),
    ...maskedMean('steps', 4, size, 3),
    ...maskedMean('channels', 4, 5, size),
  ]),
  ...maskedMean('beyond one chunk', 20, 200, 33),
]

function maskedMax(what: string, n: number, t: number, c: number, values?: 'few'): AnyOpCase[] {
  const sizes = { n, t, c }
  const name = `${n}×${t}×${c} ${what}`
  const inputs = (draw: Draw, poison: boolean) => {
    const lengths = draw.lengths(n, t)
    const x =
      values === 'few' ? Float64Array.from(draw.indices(n * t * c, 3), (v) => v - 1) : draw.normal(n * t * c)
    if (poison) lengths.forEach((length, i) => x.fill(Number.NaN, (i * t + length) * c, (i + 1) * t * c))
    return { x, lengths }
  }
  const forward = (poison: boolean): OpCase<'masked_max'> => ({
    op: 'masked_max',
    name: poison ? `${name}, NaN in the padding` : name,
    args: (draw) => ({ ...inputs(draw, poison), out: blank(n * c), ...sizes }),
    smooth: !poison && values === undefined,
  })
  return [
    forward(false),
    forward(true),
    {
      op: 'masked_max_backward',
      name,
      args: (draw) => {
        const { x, lengths } = inputs(draw, false)
        const out = blank(n * c)
        oracle.run('masked_max', { x, lengths, out, ...sizes })
        return { x, lengths, out, gradOut: draw.normal(n * c), gradX: blank(n * t * c), ...sizes }
      },
    },
  ]
}

const maskedMaxCases = [
  ...aroundWidths.flatMap((size) => [
    ...maskedMax('rows', size, 4, 3),
    ...maskedMax('steps', 4, size, 3),
    ...maskedMax('channels', 4, 5, size),
  ]),
  ...maskedMax('many equal', 5, 20, 9, 'few'),
  ...maskedMax('beyond one chunk', 20, 200, 33),
]

export const sequenceCases: readonly AnyOpCase[] = [
  ...maskedMaxCases,
  ...gruCases,
  ...interpolateCases,
  ...embeddingCases,
  ...maskedMeanCases,
]
