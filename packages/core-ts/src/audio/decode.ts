import type { Stats } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { abortedError, throwIfAborted } from '../base/abort.js'
import { SonotextError } from '../base/errors.js'
import { checkSamples, mixToMono, type DecodedAudio, type MonoAudio } from './audio.js'
import { decodeFlac } from './decode-flac.js'
import { decodeMp3 } from './decode-mp3.js'
import { decodeOggVorbis } from './decode-ogg.js'
import { decodeWav } from './decode-wav.js'
import { sniff } from './sniff.js'

export interface DecodeOptions {
  signal?: AbortSignal
  /** Name for messages when `source` is bytes. Default 'audio'. */
  name?: string
}

/**
 * Decodes WAV (PCM 8, 16, 24, 32, float 32, 64, mu-law, A-law, IMA-ADPCM), FLAC, MP3 and Ogg Vorbis; the last three
 * through optional packages. The type is told by content. Samples come back as float32 in [-1, 1], integers divided by 2^(bits-1).
 * @throws SonotextError MISSING_FILE, INVALID_FILE (not audio, cut short, damaged, impossible header), INVALID_DATA (no samples,
 *   NaN or infinite samples), UNSUPPORTED (audio of another kind), MISSING_DEPENDENCY (optional decoder), ABORTED
 */
export async function decodeAudio(
  source: string | Uint8Array,
  options: DecodeOptions = {},
): Promise<DecodedAudio> {
  const { signal, name = 'audio' } = options
  throwIfAborted(signal)
  const file = typeof source === 'string' ? source : name
  const bytes = typeof source === 'string' ? await readAudioFile(source, signal) : source
  const audio = await decodeBytes(bytes, file, signal)
  checkSamples(audio.channels, file)
  return audio
}

/** Decodes and averages the channels. Same sources and errors as {@link decodeAudio}. */
export async function readMono(source: string | Uint8Array, options: DecodeOptions = {}): Promise<MonoAudio> {
  const { channels, sampleRate } = await decodeAudio(source, options)
  return { samples: mixToMono(channels), sampleRate }
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

async function decodeBytes(bytes: Uint8Array, file: string, signal?: AbortSignal): Promise<DecodedAudio> {
  try {
    switch (sniff(bytes, file)) {
      case 'wav':
        return decodeWav(bytes, file)
      case 'flac':
        return await decodeFlac(bytes, file, signal)
      case 'ogg-vorbis':
        return await decodeOggVorbis(bytes, file, signal)
      case 'mp3':
        return await decodeMp3(bytes, file, signal)
    }
  } catch (error) {
    if (error instanceof SonotextError || !(error instanceof RangeError)) throw error
    throw new SonotextError('OUT_OF_MEMORY', `Expected memory for the decoded samples (${error.message}).`, {
      file,
      remedy: 'Cut the recording into shorter files.',
      cause: error,
    })
  }
}
