import type * as flac from '@wasm-audio-decoders/flac'
import type * as vorbis from '@wasm-audio-decoders/ogg-vorbis'
import type * as mpg123 from 'mpg123-decoder'
import { SonotextError } from '../base/errors.js'

/** The decoder packages a user may leave out; see `optionalDependencies` of this package. */
export interface DecoderPackages {
  '@wasm-audio-decoders/flac': typeof flac
  '@wasm-audio-decoders/ogg-vorbis': typeof vorbis
  'mpg123-decoder': typeof mpg123
}

export type ImportPackage = (name: keyof DecoderPackages) => Promise<unknown>

const importers: { readonly [K in keyof DecoderPackages]: () => Promise<DecoderPackages[K]> } = {
  '@wasm-audio-decoders/flac': () => import('@wasm-audio-decoders/flac'),
  '@wasm-audio-decoders/ogg-vorbis': () => import('@wasm-audio-decoders/ogg-vorbis'),
  'mpg123-decoder': () => import('mpg123-decoder'),
}

/** Imports an optional decoder; MISSING_DEPENDENCY with the command that installs it when it is not there. */
export async function optionalDecoder<K extends keyof DecoderPackages>(
  name: K,
  file: string,
  importPackage: ImportPackage = (wanted) => importers[wanted](),
): Promise<DecoderPackages[K]> {
  try {
    return (await importPackage(name)) as DecoderPackages[K]
  } catch (cause) {
    throw new SonotextError(
      'MISSING_DEPENDENCY',
      `Expected the optional decoder ${name}, which could not be loaded.`,
      {
        file,
        remedy: `Install it: npm install ${name}`,
        cause,
      },
    )
  }
}

/** A decoder's answer, in the shape all three packages share. */
export interface DecoderOutput {
  readonly channelData: readonly Float32Array[]
  readonly samplesDecoded: number
  readonly sampleRate: number
  readonly errors: readonly { readonly message: string }[]
}

/** The decoders print what they also return as errors: mutes them during `call`, which must be synchronous. */
export function quietly<T>(call: () => T): T {
  const target = console
  const { error } = target
  target.error = () => {}
  try {
    return call()
  } finally {
    target.error = error
  }
}

/** Puts the pieces of a decoded stream together, channel by channel. */
export function joinPieces(pieces: readonly DecoderOutput[]): Float32Array[] {
  const used = pieces.filter((piece) => piece.samplesDecoded > 0)
  const samples = used.reduce((sum, piece) => sum + piece.samplesDecoded, 0)
  return (used[0]?.channelData ?? []).map((_, c) => {
    const channel = new Float32Array(samples)
    let at = 0
    for (const piece of used) {
      channel.set(piece.channelData[c]!.subarray(0, piece.samplesDecoded), at)
      at += piece.samplesDecoded
    }
    return channel
  })
}

export function damaged(what: string, file: string): SonotextError {
  return new SonotextError('INVALID_FILE', what, {
    file,
    remedy: 'The file is cut short or damaged: copy or download it again, or leave it out.',
  })
}
