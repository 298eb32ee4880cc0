import type { Stats } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { abortedError, throwIfAborted } from '../base/abort.js'
import { expected, isSonotextError, SonotextError } from '../base/errors.js'
import { checkSamples, mixToMono, type DecodedAudio, type MonoAudio } from './audio.js'
import { collect, defaultMaxSeconds } from './collect.js'
import { Reading, type AudioStream } from './formats/format.js'
import { recognize } from './formats/recognize.js'

/** What may be decoded, and how: the part of {@link DecodeOptions} that belongs to a whole set of files. */
export interface DecodePolicy {
  /** Longest recording that is decoded, seconds; longer ones are refused before memory is taken for them. Default 3,600. */
  maxSeconds?: number
  /** Takes what is there of a file whose end is missing; `cutShort` of the result says so. Default false: such a file is refused. */
  acceptCut?: boolean
  /** Tried in order with what the library itself does not read, such as {@link ffmpegDecoder}. Default none. */
  decoders?: readonly AudioDecoder[]
}

export interface DecodeOptions extends DecodePolicy {
  signal?: AbortSignal
  /** Name for messages when `source` is bytes. Default 'audio'. */
  name?: string
}

/** A decoder of the caller's for files that the library does not read. */
export interface AudioDecoder {
  readonly name: string
  /** Opens the file, or undefined when it is not for this decoder. What it throws ends the reading of the file. */
  open(source: AudioSource): Promise<AudioStream | undefined>
}

export interface AudioSource {
  /** Name for messages. */
  readonly file: string
  /** Where the file lies; undefined when only its bytes are known. */
  readonly path: string | undefined
  readonly bytes: Uint8Array
  /** Nothing behind so many seconds is asked for. */
  readonly maxSeconds: number
  readonly signal: AbortSignal | undefined
}

/**
 * Decodes WAV (PCM, float, mu-law, A-law, IMA-ADPCM, MP3), AIFF, AU and CAF (PCM, float, mu-law, A-law), FLAC, MP3, Ogg Vorbis and
 * Opus; the last four through optional packages. The type is told by content. Samples come back as float32 in [-1, 1], integers
 * divided by 2^(bits-1).
 * @throws SonotextError MISSING_FILE, INVALID_FILE (not audio, cut short, damaged, impossible header), INVALID_DATA (no samples,
 *   NaN or infinite samples), TOO_LONG (more than maxSeconds or 2 GiB of samples), UNSUPPORTED (audio of another kind),
 *   MISSING_DEPENDENCY (optional decoder), ABORTED
 */
export async function decodeAudio(
  source: string | Uint8Array,
  options: DecodeOptions = {},
): Promise<DecodedAudio> {
  const { signal, name = 'audio' } = options
  throwIfAborted(signal)
  if (typeof source !== 'string') return decodeBytes(source, name, undefined, options)
  return decodeBytes(await readAudioFile(source, signal), source, source, options)
}

/** Decodes and averages the channels. Same sources and errors as {@link decodeAudio}. */
export async function readMono(source: string | Uint8Array, options: DecodeOptions = {}): Promise<MonoAudio> {
  return toMono(await decodeAudio(source, options))
}

export function toMono({ channels, sampleRate, cutShort }: DecodedAudio): MonoAudio {
  return { samples: mixToMono(channels), sampleRate, ...(cutShort === undefined ? {} : { cutShort }) }
}

/** Decodes the bytes of a file that has been read. `path` is where they come from, for decoders that read it themselves. */
export async function decodeBytes(
  bytes: Uint8Array,
  file: string,
  path: string | undefined,
  { maxSeconds = defaultMaxSeconds, acceptCut = false, decoders = [], signal }: DecodeOptions = {},
): Promise<DecodedAudio> {
  if (!(maxSeconds > 0)) throw expected('more than 0 seconds', 'maxSeconds', maxSeconds)
  const reading = new Reading(file, { signal, acceptCut })
  try {
    const stream = await open(reading, decoders, { file, path, bytes, maxSeconds, signal })
    const channels = await collect(stream, { file, maxSeconds, bytes: bytes.length })
    checkSamples(channels, file)
    const { sampleRate, encoding } = stream
    const { cutShort } = reading
    return { channels, sampleRate, encoding, ...(cutShort === undefined ? {} : { cutShort }) }
  } catch (error) {
    if (isSonotextError(error) || !(error instanceof RangeError)) throw error
    throw new SonotextError('OUT_OF_MEMORY', `Expected memory for the decoded samples (${error.message}).`, {
      file,
      remedy: 'Cut the recording into shorter files.',
      cause: error,
    })
  }
}

/** What the library reads itself comes first; the caller's decoders get what is refused for its kind, never what is damaged. */
async function open(
  reading: Reading,
  decoders: readonly AudioDecoder[],
  source: AudioSource,
): Promise<AudioStream> {
  const recognized = recognize(source.bytes, reading.file)
  let refusal: SonotextError
  if ('refusal' in recognized) refusal = recognized.refusal
  else {
    try {
      return await recognized.format.open(recognized.bytes, reading)
    } catch (error) {
      if (!isSonotextError(error) || !['UNSUPPORTED', 'MISSING_DEPENDENCY'].includes(error.code)) throw error
      refusal = error
    }
  }
  for (const decoder of decoders) {
    const stream = await decoder.open(source)
    if (stream !== undefined) return stream
  }
  throw refusal
}

/** The bytes of a file, with errors that name it. */
export async function readAudioFile(path: string, signal?: AbortSignal): Promise<Uint8Array> {
  let info: Stats
  try {
    info = await stat(path)
  } catch (cause) {
    throw unreadable(path, cause)
  }
  if (!info.isFile()) {
    throw new SonotextError(
      'INVALID_FILE',
      `Expected an audio file, found ${info.isDirectory() ? 'a folder' : 'a device'}.`,
      {
        file: path,
        remedy: 'Name a file inside it.',
      },
    )
  }
  try {
    return await readFile(path, signal === undefined ? {} : { signal })
  } catch (cause) {
    if (signal?.aborted) throw abortedError(signal)
    throw unreadable(path, cause)
  }
}

function unreadable(file: string, cause: unknown): SonotextError {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause)
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new SonotextError('MISSING_FILE', 'Expected an audio file, found nothing.', {
      file,
      remedy: 'Check the path, and the folder that relative paths start from.',
      cause,
    })
  }
  const tooLarge = code === 'ERR_FS_FILE_TOO_LARGE'
  return new SonotextError('INVALID_FILE', `Expected a readable audio file (${code}).`, {
    file,
    remedy: tooLarge ? 'Cut it into files of less than 2 GiB.' : 'Check its permissions.',
    cause,
  })
}
