import { logMel } from '@sonotext/core/audio'
import type { Backend, OpArgs, OpName } from '@sonotext/core/backend'
import { nativeBackend } from '@sonotext/core/backend'
import { Rng } from '@sonotext/core/base'

/** One op on one shape, the same arguments for every instruction set. */
export interface KernelRow<K extends OpName = OpName> {
  readonly op: K
  readonly shape: string
  /** Nominal floating-point operations: a multiply-add is two. See docs/performance.md for how each is counted. */
  readonly operations: number
  readonly args: OpArgs[K]
}

export type AnyKernelRow = { [K in OpName]: KernelRow<K> }[OpName]

/** As the product uses them, or so small that an emulated CPU is done with them soon. The ways through a kernel are the same. */
export type RowSize = 'full' | 'small'

/** Ops and shapes of the kernel table. */
export async function kernelRows(size: RowSize = 'full'): Promise<AnyKernelRow[]> {
  const { memory } = nativeBackend()
  const rng = new Rng(1, 'bench/kernels')
  const sized = <T>(full: T, small: T): T => (size === 'full' ? full : small)
  const zeros = (length: number): Float32Array => {
    const array = memory.alloc(length) as Float32Array
    return array.fill(0)
  }
  // Enough values that no kernel sees a pattern; drawing millions would take longer than timing them.
  const drawn = Float32Array.from({ length: 65_521 }, () => rng.normal())
  const normal = (length: number, scale = 1): Float32Array => {
    const array = zeros(length)
    for (let i = 0; i < length; i++) array[i] = scale * drawn[i % drawn.length]!
    return array
  }
  const unit = (d: number): number => 1 / Math.sqrt(d)
  const filled = (length: number, value: number): Int32Array => new Int32Array(length).fill(value)

  const gemm = (m: number, n: number, k: number, transA = 0, transB = 0): KernelRow<'gemm'> => ({
    op: 'gemm',
    shape: `${m}×${n}×${k}${transA || transB ? `, transposes ${transA}${transB}` : ''}`,
    operations: 2 * m * n * k,
    args: {
      ...{ a: normal(m * k), b: normal(k * n), bias: null, out: zeros(m * n) },
      ...{ m, n, k, transA, transB, alpha: 1, beta: 0, slope: 1 },
    },
  })

  const similarity = ({ n, m, d }: { n: number; m: number; d: number }): KernelRow<'similarity'> => ({
    op: 'similarity',
    shape: `${n}×${m}×${d}`,
    operations: 2 * n * m * d,
    args: { a: normal(n * d), b: normal(m * d), out: zeros(n * m), batch: 1, n, m, d, scale: 1 },
  })

  const frameSizes = sized(
    { clips: 16, captions: 16, maxFrames: 500, maxWords: 12, d: 300 },
    { clips: 4, captions: 4, maxFrames: 70, maxWords: 12, d: 100 },
  )
  const frameInputs = () => {
    const { clips, captions, maxFrames, maxWords, d } = frameSizes
    return {
      ...{ ...frameSizes, reduction: 0 },
      frames: normal(clips * maxFrames * d, unit(d)),
      words: normal(captions * maxWords * d, unit(d)),
      frameLengths: filled(clips, maxFrames),
      wordLengths: filled(captions, maxWords),
    }
  }
  const { clips, captions, maxFrames, maxWords } = frameSizes
  const frameOperations = 2 * clips * maxFrames * captions * maxWords * frameSizes.d
  const frameShape = `${clips}×${captions}, ${maxFrames} frames × ${maxWords} words × ${frameSizes.d}`

  const n = sized(512, 100)
  const d = sized(300, 100)
  const infoNce: KernelRow<'info_nce'> = {
    op: 'info_nce',
    shape: `${n} pairs × ${d}`,
    operations: 6 * n * n * d,
    args: {
      ...{
        audio: normal(n * d, unit(d)),
        text: normal(n * d, unit(d)),
        groups: Int32Array.from({ length: n }, (_, i) => i),
      },
      ...{ excludeOffsets: null, excludeIndex: null, logTemperature: Float32Array.of(Math.log(0.07)) },
      ...{ targets: null, targetOffsets: null, targetIndex: null, targetWeights: null },
      ...{ gradAudio: zeros(n * d), gradText: zeros(n * d), gradLogTemperature: zeros(1), stats: zeros(4) },
      ...{ n, d, positives: 0, hard: 1, toText: 1, toAudio: 1 },
    },
  }

  const halves = { positives: 1, hard: 0.5, toText: 0.5, toAudio: 0.5 } as const
  const softTargets: KernelRow<'info_nce'> = {
    ...infoNce,
    shape: `soft targets, ${infoNce.shape}`,
    args: { ...infoNce.args, targets: normal(n * n).map(Math.abs), ...halves },
  }
  // Ten captions a clip, as many as most that captions say of others.
  const listed = 10
  const softLists: KernelRow<'info_nce'> = {
    ...infoNce,
    shape: `soft targets in lists, ${infoNce.shape}`,
    args: {
      ...infoNce.args,
      targetOffsets: Int32Array.from({ length: n + 1 }, (_, i) => listed * i),
      targetIndex: Int32Array.from(
        { length: listed * n },
        (_, e) => (Math.floor(e / listed) + (e % listed)) % n,
      ),
      targetWeights: normal(listed * n).map(Math.abs),
      ...halves,
    },
  }

  const image = { ...sized({ n: 4, h: 125, w: 16 }, { n: 1, h: 25, w: 8 }), kh: 3, kw: 3 }
  const channels = sized({ cin: 128, cout: 128 }, { cin: 32, cout: 32 })
  const pixels = image.n * image.h * image.w
  const conv2d: KernelRow<'conv2d'> = {
    op: 'conv2d',
    shape: `${image.n}×${image.h}×${image.w}, ${channels.cin}→${channels.cout}, 3×3`,
    operations: 2 * pixels * 9 * channels.cin * channels.cout,
    args: {
      ...{
        x: normal(pixels * channels.cin),
        weight: normal(9 * channels.cin * channels.cout, 0.05),
        out: zeros(pixels * channels.cout),
      },
      ...{ ...image, ...channels },
      slope: 0.1,
    },
  }

  const cell = {
    ...sized({ n: 32, t: 125, in: 128, hidden: 150 }, { n: 20, t: 10, in: 40, hidden: 50 }),
    directions: 2,
  }
  const gateRows = cell.directions * 3 * cell.hidden
  const gru: KernelRow<'gru'> = {
    op: 'gru',
    shape: `${cell.n}×${cell.t}×${cell.in}, hidden ${cell.hidden}, both directions`,
    operations: 2 * cell.n * cell.t * gateRows * (cell.in + cell.hidden),
    args: {
      ...{
        x: normal(cell.n * cell.t * cell.in),
        wIh: normal(gateRows * cell.in, 0.08),
        wHh: normal(gateRows * cell.hidden, 0.08),
      },
      ...{
        bIh: normal(gateRows, 0.08),
        bHh: normal(gateRows, 0.08),
        out: zeros(cell.n * cell.t * 2 * cell.hidden),
      },
      ...{ saved: zeros(cell.directions * cell.n * cell.t * 4 * cell.hidden) },
      ...cell,
    },
  }

  const topK = (q: number, items: number, k: number): KernelRow<'top_k'> => ({
    op: 'top_k',
    shape: `${q} of ${items}×${d}, k ${k}`,
    operations: 2 * q * items * d,
    args: {
      ...{
        queries: normal(q * d),
        items: normal(items * d),
        ...{ narrow: null, scales: null, bits: 32 },
        outIndices: new Int32Array(q * k),
        outScores: zeros(q * k),
      },
      ...{ q, n: items, d, k },
    },
  })

  return [
    await logMelRow(normal(sized(441_000, 16_000), 0.1)),
    ...sized(
      [gemm(512, 512, 512), gemm(512, 512, 512, 1, 1), gemm(32, 450, 150, 0, 1)],
      [gemm(120, 130, 140), gemm(120, 130, 140, 1, 1), gemm(32, 150, 50, 0, 1)],
    ),
    similarity(sized({ n: 512, m: 512, d: 300 }, { n: 100, m: 130, d: 100 })),
    {
      op: 'frame_score',
      shape: frameShape,
      operations: frameOperations,
      args: { ...frameInputs(), out: zeros(clips * captions) },
    },
    {
      op: 'frame_score_backward',
      shape: frameShape,
      operations: 3 * frameOperations,
      args: {
        ...{ ...frameInputs(), gradOut: normal(clips * captions) },
        gradFrames: zeros(clips * maxFrames * frameSizes.d),
        gradWords: zeros(captions * maxWords * frameSizes.d),
      },
    },
    infoNce,
    softTargets,
    softLists,
    conv2d,
    gru,
    ...sized([topK(128, 10_000, 10), topK(1, 10_000, 10)], [topK(40, 600, 10), topK(1, 4_000, 10)]),
  ]
}

/** The arguments that the thesis front end gives its op for ten seconds of audio. */
async function logMelRow(pcm: Float32Array): Promise<KernelRow<'log_mel'>> {
  const cpu = nativeBackend()
  let seen: OpArgs['log_mel'] | undefined
  const recorder: Backend = {
    ...cpu,
    runAsync(op, args, options) {
      const copied = Object.entries(args).map(([name, value]) => [
        name,
        value instanceof Float32Array ? value.slice() : value,
      ])
      if (op === 'log_mel') seen = Object.fromEntries(copied) as OpArgs['log_mel']
      return cpu.runAsync(op, args, options)
    },
  }
  await logMel('thesis', { sampleRate: 44_100 }, { backend: recorder }).compute(pcm)
  if (seen === undefined) throw new Error('The log-mel front end did not run log_mel.')
  const { nFft, frames, filterWeights } = seen
  // A real transform, the window, the powers and the filters.
  const perFrame = 2.5 * nFft * Math.log2(nFft) + nFft + 1.5 * nFft + 2 * filterWeights.length
  return {
    op: 'log_mel',
    shape: `${Math.round((pcm.length / 44_100) * 10) / 10} s at 44.1 kHz, thesis`,
    operations: Math.round(perFrame * frames),
    args: seen,
  }
}
