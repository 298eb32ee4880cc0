import type { ByteSource } from '../byte-source.js'
import type { AudioFormat, AudioStream, Reading } from './format.js'
import { pcmStream, type PcmLayout } from './pcm.js'
import { contradiction, unsupported } from './refusals.js'
import { ascii, beginsLike } from './text.js'

/** AIFF and AIFF-C: PCM of 8, 16, 24 and 32 bits in both byte orders, floats, mu-law and A-law. */
export const aiff: AudioFormat = {
  name: 'AIFF',
  sniff: (bytes) => beginsLike(bytes, /^FORM....AIF[FC]/),
  open: openAiff,
}

type Samples = Pick<PcmLayout, 'kind' | 'bigEndian'> & { readonly bits?: number }

/** By the compression code of AIFF-C; without `bits` the COMM chunk says how many. */
const codecs: Readonly<Record<string, Samples>> = {
  NONE: { kind: 'signed', bigEndian: true },
  twos: { kind: 'signed', bigEndian: true },
  sowt: { kind: 'signed' },
  'raw ': { kind: 'unsigned', bits: 8 },
  in24: { kind: 'signed', bigEndian: true, bits: 24 },
  in32: { kind: 'signed', bigEndian: true, bits: 32 },
  fl32: { kind: 'float', bigEndian: true, bits: 32 },
  fl64: { kind: 'float', bigEndian: true, bits: 64 },
  ulaw: { kind: 'mu-law', bits: 8 },
  alaw: { kind: 'a-law', bits: 8 },
}

interface Common {
  readonly channels: number
  readonly frames: number
  readonly bits: number
  readonly sampleRate: number
  readonly codec: string
}

async function openAiff(source: ByteSource, reading: Reading): Promise<AudioStream> {
  const { length } = source
  const compressed = (await source.read(11, 1))[0] === 'C'.charCodeAt(0)
  let common: Common | undefined
  let sound: { offset: number; size: number } | undefined
  for (let offset = 12; offset + 8 <= length && (common === undefined || sound === undefined);) {
    reading.part()
    const head = await source.read(offset, 8 + 22)
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
    const id = ascii(head, 0, 4)
    const size = view.getUint32(4)
    const body = offset + 8
    if (id === 'COMM' && size >= 18 && body + Math.min(size, compressed ? 22 : 18) <= length)
      common ??= readCommon(head.subarray(8), compressed && size >= 22)
    if (id === 'SSND' && body + 8 <= length)
      sound ??= { offset: body + 8 + view.getUint32(8), size: size - 8 - view.getUint32(8) }
    offset = body + size + (size % 2)
  }
  if (common === undefined) throw reading.damaged('Expected a COMM chunk in the AIFF file, found none.')
  const { channels, sampleRate, frames } = common
  const known = codecs[common.codec] ?? codecs[common.codec.toLowerCase()]
  if (known === undefined)
    throw unsupported('PCM, float, mu-law or A-law samples in AIFF', `"${common.codec}"`, reading.file)
  if (sound === undefined) {
    if (frames > 0) throw reading.damaged('Expected an SSND chunk in the AIFF file, found none.')
    sound = { offset: length, size: 0 }
  }
  const { bits = common.bits } = known
  const width = Math.ceil(bits / 8)
  // A writer into a pipe leaves placeholders: no frames, or more than 32 bits can count bytes for.
  const wanted =
    frames === 0 || frames * width * channels > 0x7e000000 ? undefined : frames * width * channels
  const present = Math.max(0, length - sound.offset)
  if (wanted !== undefined && sound.size > 0 && sound.size < wanted && sound.size < present) {
    throw contradiction(
      `Expected ${wanted} bytes of samples for ${frames} frames, got a chunk of ${sound.size}.`,
      reading.file,
    )
  }
  if (wanted !== undefined && present < wanted)
    reading.cut(`Expected ${wanted} bytes of samples as the header says, found ${present}.`)
  return pcmStream(
    source,
    {
      container: 'AIFF',
      kind: known.kind,
      bits,
      bigEndian: known.bigEndian === true,
      channels,
      sampleRate,
      offset: sound.offset,
      bytes: Math.min(present, wanted ?? (sound.size > 0 ? sound.size : present)),
    },
    reading,
  )
}

function readCommon(chunk: Uint8Array, compressed: boolean): Common {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  return {
    channels: view.getUint16(0),
    frames: view.getUint32(2),
    bits: view.getUint16(6),
    sampleRate: extended(view, 8),
    codec: compressed ? ascii(chunk, 18, 4) : 'NONE',
  }
}

/** A float of 80 bits: sign and exponent of 16, then a mantissa of 64 with its leading one. */
function extended(view: DataView, at: number): number {
  const exponent = view.getUint16(at) & 0x7fff
  const mantissa = view.getUint32(at + 2) * 2 ** 32 + view.getUint32(at + 6)
  const sign = (view.getUint16(at) & 0x8000) !== 0 ? -1 : 1
  return sign * mantissa * 2 ** (exponent - 16383 - 63)
}
