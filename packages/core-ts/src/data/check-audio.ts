import { createHash } from 'node:crypto'
import { decodeAudio, type DecodeOptions, type Fingerprint, fingerprint, mixToMono } from '../audio/index.js'
import { throwIfAborted } from '../base/abort.js'
import { isSonotextError } from '../base/errors.js'
import type { FindingKind } from './finding.js'

/** What an audio file holds, as far as training cares. */
export interface AudioFacts {
  readonly seconds: number
  readonly sampleRate: number
  /** Largest |sample| of the mean of all channels, dB relative to full scale. */
  readonly peakDb: number
  /** The same of the loudest channel: far above where channels cancel each other. */
  readonly channelPeakDb: number
  /** Share of samples that stand in a row of three or more at the clip's own peak, near full scale. */
  readonly clippedShare: number
  /** Of the decoded samples: equal for one recording in two containers. */
  readonly content: string
  /** Where it was asked for. */
  readonly fingerprint?: Fingerprint
  /** What of its end is missing, or may be. */
  readonly cutShort?: string
}

export interface AudioProblem {
  readonly kind: FindingKind
  readonly message: string
  readonly remedy?: string
}

/** Decodes a file and measures it, or says what is wrong with it. Throws only ABORTED and what is no property of the file. */
export async function inspectAudio(
  path: string,
  { withFingerprint = false, ...options }: DecodeOptions & { withFingerprint?: boolean } = {},
): Promise<AudioFacts | AudioProblem> {
  try {
    const { channels, sampleRate, cutShort } = await decodeAudio(path, options)
    const samples = mixToMono(channels)
    const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
    const content = createHash('sha256')
      .update(`${sampleRate} `)
      .update(bytes)
      .digest('base64url')
      .slice(0, 22)
    const peak = peakOf(samples)
    return {
      seconds: samples.length / sampleRate,
      sampleRate,
      peakDb: 20 * Math.log10(peak),
      channelPeakDb: 20 * Math.log10(Math.max(...channels.map(peakOf))),
      clippedShare: clippedShare(samples, peak),
      content,
      ...(withFingerprint
        ? { fingerprint: await fingerprint({ sampleRate, blocks: [samples] }, signalOf(options)) }
        : {}),
      ...(cutShort === undefined ? {} : { cutShort }),
    }
  } catch (error) {
    throwIfAborted(options.signal)
    const kind = isSonotextError(error) ? kindOf(error.code, error.message) : undefined
    if (kind === undefined || !isSonotextError(error)) throw error
    const { message, remedy } = error
    const bare = message.replace(`${path}: `, '').replace(remedy === undefined ? '' : ` ${remedy}`, '')
    return remedy === undefined ? { kind, message: bare } : { kind, message: bare, remedy }
  }
}

function signalOf({ signal }: DecodeOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}

function peakOf(samples: Float32Array): number {
  return samples.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0)
}

export function isProblem(result: AudioFacts | AudioProblem): result is AudioProblem {
  return 'kind' in result
}

function kindOf(code: string, message: string): FindingKind | undefined {
  switch (code) {
    case 'MISSING_FILE':
      return 'missing'
    case 'INVALID_FILE':
      return /empty/i.test(message) ? 'empty' : 'corrupt'
    case 'INVALID_DATA':
      return /finite/.test(message) ? 'not-finite' : 'empty'
    case 'UNSUPPORTED':
    case 'MISSING_DEPENDENCY':
      return 'unsupported'
    case 'OUT_OF_MEMORY':
    case 'TOO_LONG':
      return 'too-long'
    default:
      return undefined
  }
}

/** Clipping shows as flat tops: neighbours that all stand at the peak, which lies near full scale. */
function clippedShare(samples: Float32Array, peak: number): number {
  const level = Math.max(0.985, peak - 1e-4)
  let clipped = 0
  let row = 0
  for (const x of samples) {
    row = Math.abs(x) >= level ? row + 1 : 0
    if (row === 3) clipped += 3
    else if (row > 3) clipped++
  }
  return clipped / samples.length
}
