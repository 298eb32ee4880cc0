import { expected, SonotextError } from '../base/errors.js'

/** Decoded audio: one array of samples per channel, nominally in [-1, 1] (float files may exceed it). */
export interface DecodedAudio {
  readonly channels: readonly Float32Array[]
  /** Hz. */
  readonly sampleRate: number
  /** What it was stored as, for example 'WAV PCM 16-bit' or 'FLAC 24-bit'. */
  readonly encoding: string
  /** What of the end is missing, or may be; left out when the file is whole. */
  readonly cutShort?: string
}

/** One channel of samples. */
export interface MonoAudio {
  readonly samples: Float32Array
  /** Hz. */
  readonly sampleRate: number
  /** As {@link DecodedAudio.cutShort}. */
  readonly cutShort?: string
}

/** Lowest and highest sample rate this library takes, Hz. */
export const sampleRateLimits = { min: 1_000, max: 768_000 } as const

/** Most channels a file may have. */
export const maxChannels = 64

/** Mean of the channels, into `mono` where it is given; else a single channel is returned as it is, without a copy. */
export function mixToMono(channels: readonly Float32Array[], mono?: Float32Array): Float32Array {
  const [first] = channels
  if (first === undefined) throw expected('1 or more channels', 'channels', channels)
  if (channels.length === 1 && mono === undefined) return first
  const sum = new Float64Array(first.length)
  for (const channel of channels) for (let i = 0; i < sum.length; i++) sum[i]! += channel[i]!
  const mean = mono ?? new Float32Array(first.length)
  for (let i = 0; i < mean.length; i++) mean[i] = sum[i]! / channels.length
  return mean
}

/** Throws INVALID_FILE unless a decoder's claims about rate and channels are ones that real audio has. */
export function checkStream(sampleRate: number, channels: number, file: string): void {
  if (
    !Number.isInteger(sampleRate) ||
    sampleRate < sampleRateLimits.min ||
    sampleRate > sampleRateLimits.max
  ) {
    throw new SonotextError(
      'INVALID_FILE',
      `Expected a sample rate of 1,000 to 768,000 Hz in the header, got ${sampleRate}.`,
      { file, remedy: 'The header is damaged or wrong: export the file again with its true sample rate.' },
    )
  }
  if (!Number.isInteger(channels) || channels < 1 || channels > maxChannels) {
    throw new SonotextError(
      'INVALID_FILE',
      `Expected 1 to ${maxChannels} channels in the header, got ${channels}.`,
      {
        file,
        remedy: 'The header is damaged: export the file again.',
      },
    )
  }
}

export function noSamples(file: string): SonotextError {
  return new SonotextError('INVALID_DATA', 'Expected audio samples, found none.', {
    file,
    remedy: 'The file has a header but no sound: record or export it again, or leave it out.',
  })
}

/** Throws INVALID_DATA when a sample is not finite. The first of them is number `from` of the recording. */
export function checkFinite(channels: readonly Float32Array[], from: number, file: string): void {
  for (const [c, samples] of channels.entries()) {
    let sum = 0
    for (let i = 0; i < samples.length; i++) sum += samples[i]! * 0
    if (sum === 0) continue
    const bad = samples.findIndex((x) => !Number.isFinite(x))
    throw new SonotextError(
      'INVALID_DATA',
      `Expected finite samples, got ${samples[bad]} at sample ${from + bad} of channel ${c}.`,
      {
        file,
        remedy: 'The program that wrote it divided by zero or overflowed: export it again, or leave it out.',
      },
    )
  }
}
