import { type AnyOpCase, aroundWidths, blank, type Draw, type OpCase, oracle, rounded } from './op-case.js'

interface SoftmaxOptions {
  ragged?: boolean
  scale?: number
}

function softmax(
  what: string,
  n: number,
  rows: number,
  cols: number,
  options: SoftmaxOptions = {},
): AnyOpCase[] {
  const { ragged = false, scale = 1 } = options
  const sizes = { n, rows, cols }
  const name = `${n}×${rows}×${cols}${ragged ? ', lengths' : ''} ${what}`
  const size = n * rows * cols
  const inputs = (draw: Draw) => ({
    x: draw.normal(size, scale),
    lengths: ragged ? draw.lengths(n, cols) : null,
  })
  return [
    {
      op: 'softmax',
      name,
      args: (draw) => {
        const { x, lengths } = inputs(draw)
        // What is past the length is never read.
        lengths?.forEach((length, i) => {
          for (let r = i * rows; r < (i + 1) * rows; r++) x.fill(NaN, r * cols + length, (r + 1) * cols)
        })
        return { x, lengths, out: blank(size), ...sizes }
      },
      smooth: !ragged && scale === 1,
    },
    {
      op: 'softmax_backward',
      name,
      args: (draw) => {
        const { x, lengths } = inputs(draw)
        const out = blank(size)
        oracle.run('softmax', { x, lengths, out, ...sizes })
        return { lengths, out: rounded(out), gradOut: draw.normal(size), gradX: blank(size), ...sizes }
      },
      scale: 1, // y·(g - Σ y·g), where y is 1
    },
  ]
}

const softmaxCases = [
  ...[false, true].flatMap((ragged) =>
    aroundWidths.flatMap((size) => [
      ...softmax('columns', 3, 2, size, { ragged }),
      ...softmax('rows', 2, size, 5, { ragged }),
      ...softmax('matrices', size, 2, 5, { ragged }),
    ]),
  ),
  ...softmax('long rows', 2, 3, 1000, { ragged: true }),
  ...softmax('large values', 2, 3, 40, { scale: 100 }),
  ...softmax('beyond one chunk', 3, 100, 70, { ragged: true }),
]

function layerNorm(what: string, rows: number, cols: number, mean = 0, eps = 1e-5): AnyOpCase[] {
  const sizes = { rows, cols }
  const name = `${rows}×${cols} ${what}`
  const inputs = (draw: Draw) => ({
    ...{ x: draw.normal(rows * cols, 1, mean), gamma: draw.normal(cols, 0.3, 1), beta: draw.normal(cols) },
  })
  const backward = (wantsX: boolean): OpCase<'layer_norm_backward'> => ({
    op: 'layer_norm_backward',
    name: wantsX ? name : `${name}, gradients of the parameters alone`,
    args: (draw) => {
      const { x, gamma, beta } = inputs(draw)
      const [mean, invStd] = [blank(rows), blank(rows)]
      const out = blank(rows * cols)
      oracle.run('layer_norm', { x, gamma, beta, out, mean, invStd, eps, ...sizes })
      return {
        ...{ x, gamma, mean: rounded(mean), invStd: rounded(invStd), gradOut: draw.normal(rows * cols) },
        gradX: wantsX ? blank(rows * cols) : null,
        ...{ gradGamma: blank(cols), gradBeta: blank(cols), ...sizes },
      }
    },
  })
  return [
    {
      op: 'layer_norm',
      name,
      args: (draw) => ({
        ...inputs(draw),
        ...{ out: blank(rows * cols), mean: blank(rows), invStd: blank(rows), eps, ...sizes },
      }),
      smooth: cols !== 1, // of one value nothing is left, and what rounding leaves of it is not smooth
    },
    backward(true),
    backward(false),
  ]
}

const layerNormCases = [
  ...aroundWidths.flatMap((size) => [...layerNorm('columns', 3, size), ...layerNorm('rows', size, 5)]),
  ...layerNorm('far from 0', 9, 40, 100),
  ...layerNorm('large eps', 4, 9, 0, 2),
  ...layerNorm('beyond one part', 3000, 33),
]

export const rowCases: readonly AnyOpCase[] = [...softmaxCases, ...layerNormCases]
