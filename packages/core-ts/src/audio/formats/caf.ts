import type { ByteSource } from '../byte-source.js'
import type { AudioFormat, AudioStream, Reading } from './format.js'
import { pcmStream, type SampleKind } from './pcm.js'
import { contradiction, unsupported } from './refusals.js'
import { ascii, beginsLike } from './text.js'

/** Apple Core Audio: PCM, floats, mu-law and A-law; AAC, ALAC and others are refused by name. */
export const caf: AudioFormat = {
  name: 'CAF',
  sniff: (bytes) => beginsLike(bytes, /^caff/),
  open: openCaf,
}

const FLOAT = 1
const LITTLE_ENDIAN = 2

const names: Readonly<Record<string, string>> = {
  'aac ': 'AAC',
  alac: 'ALAC',
  ima4: 'IMA-ADPCM',
  '.mp3': 'MP3',
  opus: 'Opus',
  MAC3: 'MACE',
  MAC6: 'MACE',
}

interface Description {
  readonly sampleRate: number
  readonly format: string
  readonly flags: number
  readonly packetBytes: number
  readonly packetFrames: number
  readonly channels: number
  readonly bits: number
}

async function openCaf(source: ByteSource, reading: Reading): Promise<AudioStream> {
  const { length } = source
  let description: Description | undefined
  let data: { offset: number; size: number } | undefined
  for (let offset = 8; offset + 12 <= length && (description === undefined || data === undefined);) {
    reading.part()
    const head = await source.read(offset, 12 + 32)
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
    const id = ascii(head, 0, 4)
    const size = Number(view.getBigInt64(4))
    const body = offset + 12
    if (id === 'desc' && size >= 32 && body + 32 <= length) description ??= describe(head.subarray(12))
    // An edit count of 4 bytes stands before the samples. A size of -1: up to the end of the file.
    if (id === 'data') data ??= { offset: body + 4, size: size < 0 ? length - body - 4 : size - 4 }
    if (size < 0) break
    offset = body + size
  }
  if (description === undefined) throw reading.damaged('Expected a "desc" chunk in the CAF file, found none.')
  const { channels, sampleRate, bits, flags, format } = description
  const kind = kindOf(description)
  if (kind === undefined)
    throw unsupported(
      'PCM, float, mu-law or A-law samples in CAF',
      names[format] ?? `"${format}"`,
      reading.file,
    )
  if (data === undefined) throw reading.damaged('Expected a "data" chunk in the CAF file, found none.')
  if (description.packetFrames !== 1) {
    throw contradiction(`Expected packets of 1 frame, got ${description.packetFrames}.`, reading.file)
  }
  const present = Math.max(0, length - data.offset)
  if (data.size > present)
    reading.cut(`Expected ${data.size} bytes of samples as the header says, found ${present}.`)
  return pcmStream(
    source,
    {
      container: 'CAF',
      kind,
      bits: kind === 'signed' || kind === 'float' ? bits : 8,
      bigEndian: (flags & LITTLE_ENDIAN) === 0,
      channels,
      sampleRate,
      blockAlign: description.packetBytes,
      offset: data.offset,
      bytes: Math.max(0, Math.min(data.size, present)),
    },
    reading,
  )
}

function describe(chunk: Uint8Array): Description {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  return {
    sampleRate: view.getFloat64(0),
    format: ascii(chunk, 8, 4),
    flags: view.getUint32(12),
    packetBytes: view.getUint32(16),
    packetFrames: view.getUint32(20),
    channels: view.getUint32(24),
    bits: view.getUint32(28),
  }
}

function kindOf({ format, flags }: Description): SampleKind | undefined {
  if (format === 'lpcm') return (flags & FLOAT) !== 0 ? 'float' : 'signed'
  return format === 'ulaw' ? 'mu-law' : format === 'alaw' ? 'a-law' : undefined
}
