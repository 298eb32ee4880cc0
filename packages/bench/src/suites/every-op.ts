import type { BufferRule, NumberRule, OpArgs, OpName } from '@sonotext/core/backend'
import { signatures } from '@sonotext/core/backend'
import { Rng } from '@sonotext/core/base'
import { type AnyKernelRow, kernelRows, type KernelRow } from './kernel-rows.js'

/** The kernel table, and one row for each op that it leaves out: backward ops, and those that memory limits. */
export async function everyOpRows(): Promise<AnyKernelRow[]> {
  const drawn = Float32Array.from({ length: 65_521 }, normals())
  const values = (length: number, scale: number): Float32Array =>
    Float32Array.from({ length }, (_, i) => scale * drawn[i % drawn.length]!)

  /** The numbers and integer arrays as given, every other buffer drawn (an output too: what is there does not matter). */
  const row = <K extends OpName>(op: K, given: Partial<OpArgs[K]>, scale = 1): KernelRow<K> => {
    const args = { ...given } as Record<string, unknown>
    for (const [name, rule] of Object.entries<BufferRule<never> | NumberRule>(signatures[op])) {
      if (rule.kind !== 'float' || name in args) continue
      args[name] = values((rule.size as (known: unknown) => number)(args), scale)
    }
    const sizes = Object.values(args).map((value) => (ArrayBuffer.isView(value) ? value.byteLength / 4 : 0))
    const operations = sizes.reduce((sum, size) => sum + size, 0)
    return { op, shape: `${operations} values in and out`, operations, args: args as unknown as OpArgs[K] }
  }

  const long = { count: 1 << 20 }
  const image = { n: 4, h: 125, w: 16, cin: 128, cout: 128, kh: 3, kw: 3, slope: 0.1 }
  const map = { rows: 16_000, c: 128, training: 1 }
  const windows = { n: 8, h: 250, w: 32, c: 32, kh: 2, kw: 4, p: 4 }
  const cell = { n: 32, t: 125, in: 128, hidden: 150, directions: 2 }
  const steps = { n: 32, l: 62, t: 500, c: 300 }
  const tokens = Int32Array.from({ length: 400 }, (_, i) => (i * 7919) % 5000)
  const vectors = { tokens, vocabulary: 5000, count: 400, d: 300 }
  const frames = { lengths: new Int32Array(32).fill(500), n: 32, t: 500, c: 300 }
  const attended = { lengths: new Int32Array(32).fill(125), n: 32, rows: 500, cols: 125 }
  const rows = { rows: 16_000, cols: 300, eps: 1e-8 }
  const x = values(long.count, 1)
  const lists = {
    offsets: Int32Array.from({ length: 257 }, (_, i) => i),
    index: Int32Array.from({ length: 256 }, (_, i) => (i + 1) % 256),
  }
  const pairs = {
    groups: Int32Array.from({ length: 512 }, (_, i) => i),
    ...{ excludeOffsets: null, excludeIndex: null, logTemperature: Float32Array.of(Math.log(0.07)) },
    ...{ n: 512, d: 300, positives: 1 },
  }
  const soft = {
    ...{ targetOffsets: null, targetIndex: null, targetWeights: null },
    ...{ hard: 0.5, toText: 0.5, toAudio: 0.5 },
  }

  return [
    ...(await kernelRows()),
    row(
      'resample',
      { pcm: values(441_000, 0.1), out: new Float32Array(160_000), up: 160, down: 441, width: 64 },
      0.05,
    ),
    row('batched_gemm', { batch: 128, m: 125, n: 125, k: 64, transA: 0, transB: 1, alpha: 0.125 }),
    row('softmax', attended),
    row('softmax_backward', attended),
    row('layer_norm', rows),
    row('layer_norm_backward', rows),
    row('masked_max', frames),
    row('masked_max_backward', frames),
    row('transpose', { outer: 32, m: 500, between: 1, n: 4, inner: 75 }),
    row('copy_columns', { rows: 16_000, xCols: 900, outCols: 300, from: 300, to: 0, width: 300 }),
    row('gelu', { x }),
    row('gelu_backward', { x }),
    row('multiply', { a: x }),
    row('l2_normalize', rows),
    row('l2_normalize_backward', rows),
    row('triplet', {
      ...{
        audioOffsets: lists.offsets,
        audioIndex: lists.index,
        textOffsets: lists.offsets,
        textIndex: lists.index,
      },
      ...{ n: 256, margin: 0.5 },
    }),
    row('sigmoid_pair', { ...pairs, bias: Float32Array.of(-5), gradBias: new Float32Array(1) }, 0.06),
    {
      ...row('info_nce', { ...pairs, targets: values(512 * 512, 1).map(Math.abs), ...soft }, 0.06),
      shape: 'soft targets, 512 pairs × 300',
    },
    row('conv2d_backward', image, 0.05),
    row('batch_norm', { ...map, eps: 1e-5, momentum: 0.1, runningVar: values(128, 0).fill(1) }),
    row('batch_norm_backward', map),
    row('leaky_relu', { x, slope: 0.1 }),
    row('leaky_relu_backward', { out: x, slope: 0.1 }),
    row('lp_pool', windows),
    row('lp_pool_backward', windows),
    row('dropout', { x, rate: 0.5, seedLow: 1, seedHigh: 2, offsetLow: 3, offsetHigh: 4 }),
    row('gru_backward', cell, 0.08),
    row('interpolate', steps),
    row('interpolate_backward', steps),
    row('embedding', vectors),
    row('embedding_backward', vectors),
    row('masked_mean', frames),
    row('masked_mean_backward', frames),
    row('add', { a: x, alpha: 1, beta: 0.5 }),
    row('scale', { x, factor: 0.5 }),
    row('adam', {
      ...{ param: x, v: values(long.count, 0).fill(1e-4), step: 10, decoupled: 0 },
      ...{ lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0 },
    }),
    row('grad_norm', { x, out: new Float32Array(4), slot: 3 }),
    {
      ...row('grad_norm', { x: values(1, 1), out: new Float32Array(4), slot: 3 }),
      shape: 'one value: the cost of a call',
    },
  ]
}

function normals(): () => number {
  const rng = new Rng(1, 'bench/every op')
  return () => rng.normal()
}
