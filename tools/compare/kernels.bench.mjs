// Kernels whose way of working changed since 0.1, at the sizes that docs/results/kernels-0.2.md tells of. Two builds in turns, one thread:
//
//   npx sonotext bench check --against FOLDER_OF_A_BUILT_0.1 --functions tools/compare/kernels.bench.mjs
//
// Where 0.1 has no such way (narrow items of a search, products in bf16), it does what it has.
const seeded = (length, scale = 1) => {
  let state = 1
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return scale * (state / 2 ** 31 - 1)
  })
}

const backendOf = async ({ load }, options = {}) => {
  const { nativeBackend, signatures } = await load('@sonotext/core/backend')
  const open = () => {
    try {
      return nativeBackend(options)
    } catch {
      return nativeBackend()
    }
  }
  return { backend: open(), signatures }
}

const search = (q, n, d, bits) => async (context) => {
  const { backend, signatures } = await backendOf(context)
  const k = 10
  const items = seeded(n * d, 1 / Math.sqrt(d))
  const call = {
    queries: seeded(q * d),
    items,
    outIndices: new Int32Array(q * k),
    outScores: new Float32Array(q * k),
  }
  if (signatures.quantize === undefined) return () => backend.run('top_k', { ...call, q, n, d, k })
  let narrow = null
  let scales = null
  if (bits < 32) {
    narrow = new Int32Array(n * Math.floor((d * bits + 31) / 32))
    scales = new Float32Array(2 * n)
    backend.run('quantize', { x: items, out: narrow, scales, rows: n, cols: d, bits })
  }
  return () => backend.run('top_k', { ...call, narrow, scales, bits, q, n, d, k })
}
export const search_of_1_query_in_100k_x_512_float32 = search(1, 100_000, 512, 32)
export const search_of_1_query_in_100k_x_512_float16 = search(1, 100_000, 512, 16)
export const search_of_1_query_in_100k_x_512_int8 = search(1, 100_000, 512, 8)
export const search_of_4_queries_in_100k_x_512_int8 = search(4, 100_000, 512, 8)
export const search_of_128_queries_in_10k_x_300 = search(128, 10_000, 300, 32)

const planes = (n, steps, d, matmul) => async (context) => {
  const { backend } = await backendOf(context, matmul && { matmul })
  const frames = seeded(n * steps * d, 1 / Math.sqrt(d))
  const lengths = new Int32Array(n).fill(steps)
  const sizes = { clips: n, captions: n, maxFrames: steps, maxWords: steps, d, reduction: 0 }
  const call = {
    frames,
    words: frames,
    frameLengths: lengths,
    wordLengths: lengths,
    out: new Float32Array(n * n),
  }
  return () => backend.run('frame_score', { ...call, ...sizes })
}
export const planes_of_32_x_125_frames_with_themselves = planes(32, 125, 300)
export const planes_of_32_x_125_frames_with_themselves_bf16 = planes(32, 125, 300, 'bf16')
export const planes_of_16_x_250_frames_with_themselves_bf16 = planes(16, 250, 300, 'bf16')

const scores = (reduction) => async (context) => {
  const { backend } = await backendOf(context, { matmul: 'bf16' })
  const [clips, frames, words, d] = [16, 500, 12, 300]
  const lengths = (length) => new Int32Array(clips).fill(length)
  const sizes = { clips, captions: clips, maxFrames: frames, maxWords: words, d, reduction }
  const call = {
    frames: seeded(clips * frames * d, 1 / Math.sqrt(d)),
    words: seeded(clips * words * d, 1 / Math.sqrt(d)),
    frameLengths: lengths(frames),
    wordLengths: lengths(words),
    out: new Float32Array(clips * clips),
  }
  return () => backend.run('frame_score', { ...call, ...sizes })
}
export const scores_of_16_x_500_frames_and_12_words_STSQ_bf16 = scores(0)
export const scores_of_16_x_500_frames_and_12_words_MTSQ_bf16 = scores(1)
export const scores_of_16_x_500_frames_and_12_words_MQST_bf16 = scores(2)

export async function map_of_500_frames_and_12_words(context) {
  const { backend } = await backendOf(context)
  const [clips, captions, d] = [500, 12, 300]
  const ones = (n) => new Int32Array(n).fill(1)
  const call = {
    frames: seeded(clips * d),
    words: seeded(captions * d),
    frameLengths: ones(clips),
    wordLengths: ones(captions),
  }
  const sizes = { clips, captions, maxFrames: 1, maxWords: 1, d, reduction: 0 }
  return () => backend.run('frame_score', { ...call, out: new Float32Array(clips * captions), ...sizes })
}

const resampling =
  (seconds, from, to) =>
  async ({ load, core }) => {
    const { resample } = await load('@sonotext/core/audio')
    const backend = core.openBackend({ device: 'cpu' })
    const sound = seeded(Math.round(seconds * from), 0.5)
    return () => resample(sound, from, to, { backend })
  }
export const resample_10_s_from_44_1_to_16_khz = resampling(10, 44_100, 16_000)
export const resample_10_s_from_44_1_to_48_khz = resampling(10, 44_100, 48_000)
export const resample_10_s_from_48_to_16_khz = resampling(10, 48_000, 16_000)
export const resample_1_s_from_44_1_to_16_khz = resampling(1, 44_100, 16_000)
export const resample_100_ms_from_44_1_to_16_khz = resampling(0.1, 44_100, 16_000)
export const resample_20_ms_from_44_1_to_16_khz = resampling(0.02, 44_100, 16_000)
