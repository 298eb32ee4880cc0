import { SonotextError } from '../base/errors.js'
import type { AudioStream } from './formats/format.js'

/** Longest recording that is decoded where nobody says otherwise, seconds. */
export const defaultMaxSeconds = 3600

/** Samples of all channels together that one recording may have: 2 GiB. */
export const maxSamples = 2 ** 29

/** Bytes of decoded samples for a byte of the file that are believed where nobody says otherwise: what silence takes in FLAC, Vorbis and Opus. */
export const defaultMaxExpansion = 4096

/** Bytes of decoded samples that a file of any size may stand for: 64 MiB. */
const anyFile = 2 ** 26

/** Bytes of samples for a byte of the file up to which a stated length is believed before anything is decoded. */
const likelyExpansion = 64

export interface CollectOptions {
  file: string
  /** Size of the file. */
  bytes: number
}

/** What one recording may come to. */
export interface Limits extends CollectOptions {
  maxSeconds: number
  maxExpansion: number
}

/**
 * All samples of a stream, one array per channel. A stated length that takes too much memory is refused before anything is decoded, a
 * true one as soon as it does. Memory follows what was decoded: what a small file claims is not allocated beforehand.
 */
export async function collect(stream: AudioStream, options: CollectOptions): Promise<Float32Array[]> {
  const { channels: count } = stream
  const stated = stream.samples ?? 0
  refuseLarger(stated, stream, options.file)
  const affordable = Math.ceil((likelyExpansion * options.bytes) / (4 * count)) + 4096
  let channels = arrays(count, Math.min(stated, affordable))
  const inPlace = stated > 0 && stated <= affordable ? stream.blocksInto?.(channels) : undefined
  let samples = 0
  for await (const block of inPlace ?? stream.blocks) {
    const end = samples + (block[0]?.length ?? 0)
    refuseLarger(end, stream, options.file)
    if (end > (channels[0]?.length ?? 0)) {
      const grown = arrays(count, end <= stated ? Math.min(2 * end, stated) : 2 * end)
      for (const [c, channel] of grown.entries()) channel.set(channels[c]!.subarray(0, samples))
      channels = grown
    }
    for (const [c, channel] of channels.entries())
      if (block[c]!.buffer !== channel.buffer) channel.set(block[c]!, samples)
    samples = end
  }
  return samples === channels[0]?.length ? channels : channels.map((channel) => channel.slice(0, samples))
}

function arrays(count: number, samples: number): Float32Array[] {
  return Array.from({ length: count }, () => new Float32Array(samples))
}

/** Throws TOO_LONG. */
export function refuseLong(seconds: number, maxSeconds: number, file: string): void {
  if (seconds <= maxSeconds) return
  throw new SonotextError(
    'TOO_LONG',
    `Expected at most ${maxSeconds} s of audio, found ${seconds.toFixed(2)} s or more.`,
    { file, remedy: 'Cut it into clips, or raise the limit: maxSeconds (--max-seconds).' },
  )
}

/** Throws TOO_LONG when so many samples are longer, or more for a file of this size, than is allowed. */
export function refuseLonger(
  samples: number,
  { sampleRate, channels }: Pick<AudioStream, 'sampleRate' | 'channels'>,
  { file, bytes, maxSeconds, maxExpansion }: Limits,
): void {
  refuseLong(samples / sampleRate, maxSeconds, file)
  const decoded = 4 * channels * samples
  if (decoded <= anyFile || decoded <= anyFile + maxExpansion * bytes) return
  throw new SonotextError(
    'TOO_LONG',
    `Expected at most ${megabytes(anyFile + maxExpansion * bytes)} of samples in a file of ${bytes} bytes, found ${channels} × ${(samples / sampleRate).toFixed(0)} s or more (${megabytes(decoded)}).`,
    { file, remedy: 'If it is trusted, raise the limit: maxExpansion (--max-expansion).' },
  )
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`
}

/** Throws TOO_LONG when so many samples take more memory than is allowed. */
function refuseLarger(samples: number, { sampleRate, channels }: AudioStream, file: string): void {
  if (samples * channels <= maxSamples) return
  throw new SonotextError(
    'TOO_LONG',
    `Expected at most 2 GiB of decoded samples, found ${channels} channels of ${(samples / sampleRate).toFixed(0)} s or more.`,
    { file, remedy: 'Cut the recording into shorter files, or take it block by block: decodeStream.' },
  )
}
