import type { OpArgs, OpName } from '@sonotext/core/backend'
import { signatures } from '@sonotext/core/backend'
import { Rng } from '@sonotext/core/base'
import { bytes, completed, drawnRow, rowOf } from './drawn-row.js'
import { type AnyKernelRow, kernelRows, type KernelRow, type RowSize } from './kernel-rows.js'

/**
 * The kernel table, a row for each op that it leaves out (backward ops, and those that memory limits), and for an op that has none
 * here either the call that its signature describes: no op of the table is without a row.
 */
export async function everyOpRows(size: RowSize = 'full'): Promise<AnyKernelRow[]> {
  const drawn = Float32Array.from({ length: 65_521 }, normals())
  const values = (length: number, scale: number): Float32Array =>
    Float32Array.from({ length }, (_, i) => scale * drawn[i % drawn.length]!)
  const sized = <T>(full: T, small: T): T => (size === 'full' ? full : small)

  /** The numbers and integer arrays as given, every other buffer drawn (an output too: what is there does not matter). */
  const row = <K extends OpName>(op: K, given: Partial<OpArgs[K]>, scale = 1): KernelRow<K> =>
    rowOf(
      op,
      completed(op, given, (length) => values(length, scale)),
    )

  const count = sized(1 << 20, 1 << 14)
  const image = {
    ...sized({ n: 4, h: 125, w: 16, cin: 128, cout: 128 }, { n: 1, h: 25, w: 8, cin: 32, cout: 32 }),
    ...{ kh: 3, kw: 3, slope: 0.1 },
  }
  const map = { rows: sized(16_000, 300), c: 128, training: 1 }
  const windows = { ...sized({ n: 8, h: 250, w: 32 }, { n: 1, h: 50, w: 16 }), c: 32, kh: 2, kw: 4, p: 4 }
  const cell = {
    ...sized({ n: 32, t: 125, in: 128, hidden: 150 }, { n: 20, t: 10, in: 40, hidden: 50 }),
    directions: 2,
  }
  const steps = { ...sized({ n: 32, l: 62, t: 500 }, { n: 4, l: 7, t: 50 }), c: 300 }
  const tokens = Int32Array.from({ length: sized(400, 60) }, (_, i) => (i * 7919) % 5000)
  const vectors = { tokens, vocabulary: 5000, count: tokens.length, d: sized(300, 100) }
  const clips = sized(32, 4)
  const frames = { lengths: new Int32Array(clips).fill(sized(500, 50)), n: clips, t: sized(500, 50), c: 300 }
  const attended = { lengths: new Int32Array(clips).fill(125), n: clips, rows: sized(500, 50), cols: 125 }
  const rows = { rows: sized(16_000, 200), cols: 300, eps: 1e-8 }
  const x = values(count, 1)
  const pairs = sized(256, 64)
  const lists = {
    offsets: Int32Array.from({ length: pairs + 1 }, (_, i) => i),
    index: Int32Array.from({ length: pairs }, (_, i) => (i + 1) % pairs),
  }
  const n = sized(512, 100)
  const batch = {
    groups: Int32Array.from({ length: n }, (_, i) => i),
    ...{ excludeOffsets: null, excludeIndex: null, logTemperature: Float32Array.of(Math.log(0.07)) },
    ...{ n, d: sized(300, 100), positives: 1 },
  }
  const samples = sized(441_000, 4410)
  const out = new Float32Array(samples === 441_000 ? 160_000 : 1600)

  const pcm = (width: number, rows: number, count: number): KernelRow<'pcm'> => ({
    ...row('pcm', {
      ...{ bytes: bytes(samples * width), out: new Float32Array((samples / 2) * rows) },
      ...{ frames: samples / 2, channels: 2, width, floats: 0, bigEndian: 0, first: 0, rows, count },
    }),
    shape: `${8 * width} bit, ${samples / 2} frames of 2 channels to ${rows === 1 ? 'their mean' : 'both'}`,
  })

  const written = [
    ...(await kernelRows(size)),
    row('resample', { pcm: values(samples, 0.1), out, up: 160, down: 441, width: 64 }, 0.05),
    ...[2, 3].flatMap((width) => [pcm(width, 2, 1), pcm(width, 1, 2)]),
    row('l2_normalize', rows),
    row('l2_normalize_backward', rows),
    row('triplet', {
      ...{ audioOffsets: lists.offsets, audioIndex: lists.index },
      ...{ textOffsets: lists.offsets, textIndex: lists.index },
      ...{ n: pairs, margin: 0.5 },
    }),
    row(
      'batched_gemm',
      sized(
        { batch: 128, m: 125, n: 125, k: 64, transA: 0, transB: 1, alpha: 0.125 },
        { batch: 4, m: 50, n: 50, k: 64, transA: 0, transB: 1, alpha: 0.125 },
      ),
    ),
    row('softmax', attended),
    row('softmax_backward', attended),
    row('layer_norm', rows),
    row('layer_norm_backward', { rows: rows.rows, cols: rows.cols }),
    row('masked_max', frames),
    row('masked_max_backward', frames),
    row('transpose', { outer: clips, m: sized(500, 50), between: 1, n: 4, inner: 75 }),
    row('copy_columns', { rows: rows.rows, xCols: 900, outCols: 300, from: 300, to: 0, width: 300 }),
    row('gelu', { x }),
    row('gelu_backward', { x }),
    row('multiply', { a: x }),
    row('sigmoid_pair', { ...batch, bias: Float32Array.of(-5), gradBias: new Float32Array(1) }, 0.06),
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
      ...{ param: x, v: values(count, 0).fill(1e-4), step: 10, decoupled: 0 },
      ...{ lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0 },
    }),
    row('grad_norm', { x, out: new Float32Array(4), slot: 3 }),
    {
      ...row('grad_norm', { x: values(1, 1), out: new Float32Array(4), slot: 3 }),
      shape: 'one value: the cost of a call',
    },
  ] as AnyKernelRow[]
  const known = new Set(written.map(({ op }) => op))
  const rest = (Object.keys(signatures) as OpName[]).filter((op) => !known.has(op))
  const drawnRows = rest.map((op) => drawnRow(op, (length) => values(length, 1)))
  const problem = drawnRows.find((made) => typeof made === 'string')
  if (problem !== undefined) throw new Error(problem)
  return [...written, ...(drawnRows as AnyKernelRow[])]
}

function normals(): () => number {
  const rng = new Rng(1, 'bench/every op')
  return () => rng.normal()
}
