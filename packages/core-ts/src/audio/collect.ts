import { SonotextError } from '../base/errors.js'
import type { AudioStream } from './formats/format.js'

/** Longest recording that is decoded where nobody says otherwise, seconds. */
export const defaultMaxSeconds = 3600

/** Samples of all channels together that one recording may have: 2 GiB. */
export const maxSamples = 2 ** 29

/** Bytes of samples for a byte of the file up to which a stated length is believed before anything is decoded. */
const likelyExpansion = 64

export interface CollectOptions {
  file: string
  maxSeconds: number
  /** Size of the file. */
  bytes: number
}

/**
 * All samples of a stream, one array per channel. A stated length past the limits is refused before anything is decoded, a true one
 * as soon as it passes them. Memory follows what was decoded: what a small file claims is not allocated beforehand.
 */
export async function collect(stream: AudioStream, options: CollectOptions): Promise<Float32Array[]> {
  const { channels: count } = stream
  const stated = stream.samples ?? 0
  refuseMore(stated, stream, options)
  const affordable = Math.ceil((likelyExpansion * options.bytes) / (4 * count)) + 4096
  let channels = arrays(count, Math.min(stated, affordable))
  let samples = 0
  for await (const block of stream.blocks) {
    const end = samples + (block[0]?.length ?? 0)
    refuseMore(end, stream, options)
    if (end > (channels[0]?.length ?? 0)) {
      const grown = arrays(count, end <= stated ? Math.min(2 * end, stated) : 2 * end)
      for (const [c, channel] of grown.entries()) channel.set(channels[c]!.subarray(0, samples))
      channels = grown
    }
    for (const [c, channel] of channels.entries()) channel.set(block[c]!, samples)
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

function refuseMore(samples: number, { sampleRate, channels }: AudioStream, options: CollectOptions): void {
  const { file, maxSeconds } = options
  const seconds = samples / sampleRate
  refuseLong(seconds, maxSeconds, file)
  if (samples * channels <= maxSamples) return
  throw new SonotextError(
    'TOO_LONG',
    `Expected at most 2 GiB of decoded samples, found ${channels} channels of ${seconds.toFixed(0)} s or more.`,
    { file, remedy: 'Cut the recording into shorter files.' },
  )
}
