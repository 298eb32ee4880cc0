import type * as flac from '@wasm-audio-decoders/flac'
import type * as vorbis from '@wasm-audio-decoders/ogg-vorbis'
import type * as mpg123 from 'mpg123-decoder'
import type * as opus from 'opus-decoder'
import { isSonotextError, SonotextError } from '../../base/errors.js'
import type { Reading } from './format.js'

/** The decoder packages a user may leave out; see `optionalDependencies` of this package. */
export interface DecoderPackages {
  '@wasm-audio-decoders/flac': typeof flac
  '@wasm-audio-decoders/ogg-vorbis': typeof vorbis
  'mpg123-decoder': typeof mpg123
  'opus-decoder': typeof opus
}

export type ImportPackage = (name: keyof DecoderPackages) => Promise<unknown>

const importers: { readonly [K in keyof DecoderPackages]: () => Promise<DecoderPackages[K]> } = {
  '@wasm-audio-decoders/flac': () => import('@wasm-audio-decoders/flac'),
  '@wasm-audio-decoders/ogg-vorbis': () => import('@wasm-audio-decoders/ogg-vorbis'),
  'mpg123-decoder': () => import('mpg123-decoder'),
  'opus-decoder': () => import('opus-decoder'),
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

/** A decoder's answer, in the shape that all packages share. */
export interface DecoderOutput {
  readonly channelData: readonly Float32Array[]
  readonly samplesDecoded: number
  readonly errors: readonly { readonly message: string }[]
}

/** More complaints than this about one piece: the decoder goes round in circles. */
const MOST_COMPLAINTS = 64

/**
 * One call of a decoder. What it reports, and what it throws about bytes it cannot take, becomes INVALID_FILE. The packages
 * also print what they report: that is muted, and counted, because a loop in one of them ends in no other way.
 */
export async function decoding<T extends DecoderOutput>(
  reading: Reading,
  what: string,
  call: () => T | Promise<T>,
): Promise<T> {
  const target = console
  const { error: print } = target
  let complaints = 0
  let pending: T | Promise<T>
  try {
    target.error = () => {
      if (++complaints > MOST_COMPLAINTS) throw new Error('the decoder does not come to an end')
    }
    // Everything up to the first `await` inside runs here, and that is all of the decoding.
    pending = call()
  } catch (cause) {
    throw broken(reading, what, cause)
  } finally {
    target.error = print
  }
  let output: T
  try {
    output = await pending
  } catch (cause) {
    throw broken(reading, what, cause)
  }
  if (output.errors.length > 0) throw broken(reading, what, output.errors[0])
  return output
}

function broken(reading: Reading, what: string, cause: unknown): unknown {
  if (isSonotextError(cause)) return cause
  const { message } = cause as { message: string }
  if (cause instanceof RangeError && /allocation|memory/i.test(message)) return cause
  return reading.damaged(`Expected intact ${what}, got: ${message}.`)
}
