import { throwIfAborted } from '../base/abort.js'
import { expected, isSonotextError, SonotextError } from '../base/errors.js'
import { Turns } from '../base/turn.js'
import { checkFinite, mixToMono, noSamples, type DecodedAudio, type MonoAudio } from './audio.js'
import { type ByteSource, FileSource, memorySource } from './byte-source.js'
import { collect, defaultMaxExpansion, defaultMaxSeconds, type Limits, refuseLonger } from './collect.js'
import type { Origin } from './feature-kind.js'
import { Reading, type AudioStream } from './formats/format.js'
import { recognize } from './formats/recognize.js'
import { nativeSamples } from './native-samples.js'
import type { SampleBlocks } from './sample-blocks.js'

/** What may be decoded, and how: the part of {@link DecodeOptions} that belongs to a whole set of files. */
export interface DecodePolicy {
  /** Longest recording that is decoded, seconds; longer ones are refused before memory is taken for them. Default 3,600. */
  maxSeconds?: number
  /**
   * Most bytes of decoded samples (float32, all channels) for each byte of the file, above the 64 MiB that any file may come to; more is
   * refused before memory is taken for it. Default 4,096, more than real silence takes; Infinity: no such limit.
   */
  maxExpansion?: number
  /** Takes what is there of a file whose end is missing; `cutShort` of the result says so. Default false: such a file is refused. */
  acceptCut?: boolean
  /** Tried in order with what the library itself does not read, such as {@link ffmpegDecoder}. Default none. */
  decoders?: readonly AudioDecoder[]
}

/** Options of {@link decodeAudio}. */
export interface DecodeOptions extends DecodePolicy {
  signal?: AbortSignal
  /** Name for messages when `source` is bytes. Default 'audio'. */
  name?: string
}

/** A decoder of the caller's for files that the library does not read. */
export interface AudioDecoder {
  readonly name: string
  /** Left out, worker threads cannot make it: files are then read in the main thread. */
  readonly origin?: Origin
  /** Opens the file, or undefined when it is not for this decoder. What it throws ends the reading of the file. */
  open(source: AudioSource): Promise<AudioStream | undefined>
}

/** A recording as decoders see it. */
export interface AudioSource {
  /** Name for messages. */
  readonly file: string
  /** Where the file lies; undefined when only its bytes are known. */
  readonly path: string | undefined
  readonly bytes: ByteSource
  /** Nothing behind so many seconds is asked for. */
  readonly maxSeconds: number
  readonly signal: AbortSignal | undefined
}

/** A recording that is open: its blocks are read once, and it is closed when it is disposed of. */
export interface OpenAudio extends AudioStream, AsyncDisposable {
  /** As {@link DecodedAudio.cutShort}; all of it is known when the blocks have been read. */
  readonly cutShort: string | undefined
  /** Bytes that were read from the file so far. */
  readonly bytesRead: number
}

/**
 * Decodes WAV (PCM, float, mu-law, A-law, IMA-ADPCM, MP3), AIFF, AU and CAF (PCM, float, mu-law, A-law), FLAC, MP3, Ogg Vorbis and
 * Opus; the last four through optional packages. The type is told by content. Samples come back as float32 in [-1, 1], integers
 * divided by 2^(bits-1).
 * @throws SonotextError MISSING_FILE, INVALID_FILE (not audio, cut short, damaged, impossible header), INVALID_DATA (no samples,
 *   NaN or infinite samples), TOO_LONG (more than maxSeconds, maxExpansion or 2 GiB of samples), UNSUPPORTED (audio of another kind),
 *   MISSING_DEPENDENCY (optional decoder), ABORTED
 */
export async function decodeAudio(
  source: string | Uint8Array,
  options: DecodeOptions = {},
): Promise<DecodedAudio> {
  await using audio = await decodeStream(source, options)
  const channels = await collected(audio, nameOf(source, options))
  const { sampleRate, encoding, cutShort } = audio
  return { channels, sampleRate, encoding, ...(cutShort === undefined ? {} : { cutShort }) }
}

async function collected(
  audio: AudioStream & { readonly length: number },
  file: string,
): Promise<Float32Array[]> {
  try {
    return await collect(audio, { file, bytes: audio.length })
  } catch (error) {
    if (isSonotextError(error) || !(error instanceof RangeError)) throw error
    throw new SonotextError('OUT_OF_MEMORY', `Expected memory for the decoded samples (${error.message}).`, {
      file,
      remedy: 'Cut the recording into shorter files, or take it block by block: decodeStream.',
      cause: error,
    })
  }
}

/**
 * The same block by block, in memory that does not grow with the recording: neither the file nor its samples are ever held whole. The
 * blocks, one after the other, are the samples of {@link decodeAudio}, bit for bit; what it throws for what it finds is thrown where it
 * is found.
 */
export async function decodeStream(
  source: string | Uint8Array | ByteSource,
  options: DecodeOptions = {},
): Promise<OpenAudio & { readonly length: number }> {
  const { maxSeconds = defaultMaxSeconds, maxExpansion = defaultMaxExpansion } = options
  const { acceptCut = false, decoders = [], signal } = options
  if (!(maxSeconds > 0)) throw expected('more than 0 seconds', 'maxSeconds', maxSeconds)
  if (!(maxExpansion > 0)) throw expected('more than 0', 'maxExpansion', maxExpansion)
  throwIfAborted(signal)
  const file = nameOf(source, options)
  const path = typeof source === 'string' ? source : source instanceof FileSource ? source.path : undefined
  const own = typeof source === 'string' ? await FileSource.open(source, signal) : undefined
  const bytes = own ?? (source instanceof Uint8Array ? memorySource(source) : (source as ByteSource))
  const close = async () => own?.[Symbol.asyncDispose]()
  try {
    const reading = new Reading(file, { signal, acceptCut, samples: nativeSamples })
    const stream = await open(reading, decoders, { file, path, bytes, maxSeconds, signal })
    const limits = { file, bytes: bytes.length, maxSeconds, maxExpansion }
    refuseLonger(stream.samples ?? 0, stream, limits)
    const { blocksInto, mono } = stream
    return {
      ...stream,
      length: bytes.length,
      blocks: checked(stream, stream.blocks, limits, signal),
      ...(blocksInto === undefined
        ? {}
        : { blocksInto: (channels) => checked(stream, blocksInto(channels), limits, signal) }),
      ...(mono === undefined
        ? {}
        : { mono: (into) => checked({ ...stream, finite: true }, mono(into), limits, signal) }),
      get cutShort() {
        return reading.cutShort
      },
      get bytesRead() {
        return bytes instanceof FileSource ? bytes.bytesRead : 0
      },
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** The blocks, each looked at: not too long by now, finite where that is not said, and not all of them empty. The event loop has its turn between them. */
async function* checked<Block extends readonly Float32Array[]>(
  stream: AudioStream,
  blocks: AsyncIterable<Block>,
  limits: Limits,
  signal: AbortSignal | undefined,
): AsyncGenerator<Block, void, undefined> {
  const turns = new Turns(signal)
  let samples = 0
  for await (const block of blocks) {
    const length = block[0]?.length ?? 0
    refuseLonger(samples + length, stream, limits)
    if (stream.finite !== true) checkFinite(block, samples, limits.file)
    if (length > 0) yield block
    samples += length
    if (turns.due) await turns.take()
    throwIfAborted(signal)
  }
  if (samples === 0) throw noSamples(limits.file)
}

/** Decodes and averages the channels, block by block: many channels take no more memory than one. Same sources and errors as {@link decodeAudio}. */
export async function readMono(source: string | Uint8Array, options: DecodeOptions = {}): Promise<MonoAudio> {
  await using audio = await decodeStream(source, options)
  const { sampleRate, channels } = audio
  const mono = {
    ...audio,
    channels: 1,
    blocks: mixed(audio),
    blocksInto: ([into]: readonly Float32Array[]) => mixed(audio, into),
  }
  const [samples] = await collected(channels === 1 ? audio : mono, nameOf(source, options))
  const { cutShort } = audio
  return { samples: samples!, sampleRate, ...(cutShort === undefined ? {} : { cutShort }) }
}

/** The mean of the channels, block by block. */
export function monoBlocks(audio: Pick<AudioStream, 'sampleRate' | 'blocks' | 'mono'>): SampleBlocks {
  async function* only() {
    for await (const [samples] of mixed(audio)) yield samples
  }
  return { sampleRate: audio.sampleRate, blocks: only() }
}

type Mixable = Pick<AudioStream, 'blocks' | 'mono'>

/** The mean of the channels, into consecutive views of `into` as long as it lasts, else into arrays of their own. */
function mixed({ blocks, mono }: Mixable, into?: Float32Array): AsyncIterable<readonly [Float32Array]> {
  return mono?.(into) ?? mixedBlocks(blocks, into)
}

async function* mixedBlocks(
  blocks: AudioStream['blocks'],
  into?: Float32Array,
): AsyncGenerator<readonly [Float32Array]> {
  let from = 0
  for await (const block of blocks) {
    const to = from + block[0]!.length
    yield [mixToMono(block, into === undefined || to > into.length ? undefined : into.subarray(from, to))]
    from = to
  }
}

function nameOf(source: string | Uint8Array | ByteSource, { name = 'audio' }: DecodeOptions): string {
  if (typeof source === 'string') return source
  return source instanceof FileSource ? source.path : name
}

/** What the library reads itself comes first; the caller's decoders get what is refused for its kind, never what is damaged. */
async function open(
  reading: Reading,
  decoders: readonly AudioDecoder[],
  source: AudioSource,
): Promise<AudioStream> {
  const recognized = await recognize(source.bytes, reading.file)
  let refusal: SonotextError
  if ('refusal' in recognized) refusal = recognized.refusal
  else {
    try {
      return await recognized.format.open(recognized.source, reading)
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
