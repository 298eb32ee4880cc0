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
  const mean = mono ?? new Float32Array(first.length)
  if (channels.length === 2) return apart(mixPair, first, channels[1]!, mean)
  const sum = new Float64Array(first.length)
  for (const channel of channels) for (let i = 0; i < sum.length; i++) sum[i]! += channel[i]!
  for (let i = 0; i < mean.length; i++) mean[i] = sum[i]! / channels.length
  return mean
}

/** Calls a long loop that is not to be inlined: there Node 24 keeps it as Maglev makes it, which takes three to five times as long. */
export function apart<Args extends unknown[], Result>(
  loop: (...args: Args) => Result,
  ...args: Args
): Result {
  return Reflect.apply(loop, undefined, args)
}

/** What a sum that begins with 0 gives: a mean of -0 and -0 is 0. */
function mixPair(first: Float32Array, second: Float32Array, mean: Float32Array): Float32Array {
  for (let i = 0; i < mean.length; i++) mean[i] = (0 + first[i]! + second[i]!) / 2
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

export function allFinite(samples: Float32Array): boolean {
  // Four sums of nothing or NaN: one would wait for each addition.
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  let i = 0
  for (; i + 3 < samples.length; i += 4) {
    a += samples[i]! * 0
    b += samples[i + 1]! * 0
    c += samples[i + 2]! * 0
    d += samples[i + 3]! * 0
  }
  for (; i < samples.length; i++) a += samples[i]! * 0
  return a + b + c + d === 0
}

/** Throws INVALID_DATA when a sample is not finite. The first of them is number `from` of the recording. */
export function checkFinite(channels: readonly Float32Array[], from: number, file: string): void {
  for (const [c, samples] of channels.entries()) {
    if (apart(allFinite, samples)) continue
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
