import { type AnyOpCase, aroundWidths, blank, type OpCase, oracle, rounded } from './op-case.js'

interface BatchNormShape {
  rows: number
  c: number
  training: 0 | 1
  mean?: number
  scale?: number
}

function batchNorm(what: string, { rows, c, training, mean = 0.3, scale = 1 }: BatchNormShape): AnyOpCase[] {
  const name = `${rows}×${c}, training ${training} ${what}`
  const forward: OpCase<'batch_norm'> = {
    op: 'batch_norm',
    name,
    args: (draw) => ({
      x: draw.normal(rows * c, scale, mean),
      gamma: draw.uniform(c, 0.5, 1.5),
      beta: draw.normal(c),
      runningMean: draw.normal(c),
      runningVar: draw.uniform(c, 0.5, 2),
      out: blank(rows * c),
      savedMean: blank(c),
      savedInvStd: blank(c),
      ...{ rows, c, training, eps: 1e-5, momentum: 0.1 },
    }),
    smooth: scale > 0,
  }
  const backward = (wantsX: boolean): OpCase<'batch_norm_backward'> => ({
    op: 'batch_norm_backward',
    name: `${name}${wantsX ? '' : ', gradient of gamma and beta alone'}`,
    args: (draw) => {
      const args = forward.args(draw)
      oracle.run('batch_norm', args)
      return {
        x: args.x,
        gamma: args.gamma,
        savedMean: rounded(args.savedMean as Float64Array),
        savedInvStd: rounded(args.savedInvStd as Float64Array),
        gradOut: draw.normal(rows * c),
        gradX: wantsX ? blank(rows * c) : null,
        gradGamma: blank(c),
        gradBeta: blank(c),
        ...{ rows, c, training },
      }
    },
  })
  return [forward, backward(true), backward(false)]
}

const batchNormCases = ([0, 1] as const).flatMap((training) => [
  ...aroundWidths.flatMap((size) => [
    ...batchNorm('rows', { rows: size, c: 5, training }),
    ...batchNorm('channels', { rows: 6, c: size, training }),
  ]),
  ...batchNorm('beyond one block', { rows: 5000, c: 33, training }),
  ...batchNorm('one channel', { rows: 20000, c: 1, training }),
  ...batchNorm('mean far from zero', { rows: 300, c: 9, training, mean: 100 }),
  // A mean that float32 sums exactly: 1/√eps would multiply its rounding by 300.
  ...batchNorm('no variance', { rows: 40, c: 9, training, scale: 0, mean: 0.25 }),
])

interface LpPoolShape {
  n?: number
  h?: number
  w?: number
  c?: number
  kh?: number
  kw?: number
  p?: number
  scale?: number
}

function lpPool(what: string, shape: LpPoolShape): AnyOpCase[] {
  const { n = 2, h = 4, w = 8, c = 3, kh = 2, kw = 4, p = 4, scale = 1 } = shape
  const sizes = { n, h, w, c, kh, kw, p }
  const outputs = n * Math.floor(h / kh) * Math.floor(w / kw) * c
  const name = `${n}×${h}×${w}×${c}, window ${kh}×${kw}, p ${p} ${what}`
  const forward: OpCase<'lp_pool'> = {
    op: 'lp_pool',
    name,
    args: (draw) => ({ x: draw.normal(n * h * w * c, scale), out: blank(outputs), ...sizes }),
    smooth: scale === 1,
  }
  const backward: OpCase<'lp_pool_backward'> = {
    op: 'lp_pool_backward',
    name,
    args: (draw) => {
      const args = forward.args(draw)
      oracle.run('lp_pool', args)
      const { x, out } = args
      return {
        x,
        out: rounded(out as Float64Array),
        gradOut: draw.normal(outputs),
        gradX: blank(x.length),
        ...sizes,
      }
    },
  }
  return [forward, backward]
}

const lpPoolCases = [
  ...aroundWidths.flatMap((size) => [
    ...lpPool('width', { w: size }),
    ...lpPool('height', { h: size, w: 4 }),
    ...lpPool('channels', { c: size }),
  ]),
  ...[2, 6, 8, 10].flatMap((p) => lpPool('power', { p })),
  ...lpPool('no images', { n: 0 }),
  ...lpPool('window 1×1', { kh: 1, kw: 1 }),
  ...lpPool('window 1×4', { kh: 1, kw: 4, c: 17 }),
  ...lpPool('window larger than the image', { kh: 5, kw: 9 }),
  ...lpPool('zeros', { scale: 0 }),
  ...lpPool('large values', { scale: 1e6 }),
  ...lpPool('beyond one chunk', { n: 3, h: 30, w: 16, c: 33 }),
]

export const networkCases: readonly AnyOpCase[] = [...batchNormCases, ...lpPoolCases]
