import type { ByteSource } from '../byte-source.js'
import type { AudioFormat, AudioStream, Reading } from './format.js'
import { pcmStream, type SampleKind } from './pcm.js'
import { unsupported } from './refusals.js'
import { beginsLike } from './text.js'

/** Sun/NeXT AU, in either byte order: mu-law, A-law, PCM of 8, 16, 24 and 32 bits, floats. */
export const au: AudioFormat = {
  name: 'AU',
  sniff: (bytes) =>
    (beginsLike(bytes, /^\.snd/) && bytes[0] === 0x2e) || (beginsLike(bytes, /^dns\./) && bytes[3] === 0x2e),
  open: openAu,
}

const encodings: Readonly<Record<number, readonly [kind: SampleKind, bits: number]>> = {
  1: ['mu-law', 8],
  2: ['signed', 8],
  3: ['signed', 16],
  4: ['signed', 24],
  5: ['signed', 32],
  6: ['float', 32],
  7: ['float', 64],
  27: ['a-law', 8],
}

const names: Readonly<Record<number, string>> = {
  23: 'G.721 ADPCM',
  24: 'G.722 ADPCM',
  25: 'G.723 ADPCM',
  26: 'G.723 ADPCM',
}

async function openAu(source: ByteSource, reading: Reading): Promise<AudioStream> {
  const bytes = await source.read(0, 24)
  if (bytes.length < 24)
    throw reading.damaged('Expected the header of an AU file (24 bytes), found its beginning.')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const littleEndian = bytes[0] !== 0x2e
  const [offset, size, encoding, sampleRate, channels] = [4, 8, 12, 16, 20].map((at) =>
    view.getUint32(at, littleEndian),
  ) as [number, number, number, number, number]
  const known = encodings[encoding]
  if (known === undefined)
    throw unsupported(
      'PCM, float, mu-law or A-law samples in AU',
      names[encoding] ?? `code ${encoding}`,
      reading.file,
    )
  if (offset < 24)
    throw reading.damaged(`Expected samples behind the header of 24 bytes, got them at byte ${offset}.`)
  const present = Math.max(0, source.length - offset)
  // 0xffffffff: not known, as in a pipe. Some writers put the largest signed number or 0 there.
  const unknown = size >= 0x7fffff00 || size === 0
  if (!unknown && size > present)
    reading.cut(`Expected ${size} bytes of samples as the header says, found ${present}.`)
  const [kind, bits] = known
  return pcmStream(
    source,
    {
      container: 'AU',
      kind,
      bits,
      bigEndian: !littleEndian,
      channels,
      sampleRate,
      offset,
      bytes: unknown ? present : Math.min(size, present),
    },
    reading,
  )
}
