import { type ByteSource, sliceSource } from '../byte-source.js'
import type { AudioFormat, AudioStream, Reading } from './format.js'
import { imaAdpcmStream } from './ima-adpcm.js'
import { openMpeg } from './mp3.js'
import { pcmStream, type SampleKind } from './pcm.js'
import { unsupported } from './refusals.js'
import { beginsLike } from './text.js'
import { wavLayout, type WavLayout } from './wav-layout.js'

const PCM = 1
const FLOAT = 3
const A_LAW = 6
const MU_LAW = 7
const IMA_ADPCM = 17
const MPEG = 80
const MP3 = 85

/** WAV, RF64 and BW64: PCM, floats, mu-law, A-law, IMA-ADPCM and MP3; other codecs are refused by name. */
export const wav: AudioFormat = {
  name: 'WAV',
  sniff: (bytes) => beginsLike(bytes, /^(RIFF|RF64|BW64)....WAVE/),
  async open(source, reading) {
    const layout = await wavLayout(source, reading)
    const kind = kindOf(layout)
    const codec = codecOf(layout)
    if (kind === undefined && codec === undefined) {
      const wanted = 'PCM, float, mu-law, A-law, IMA-ADPCM or MP3 samples'
      const found = names[layout.tag] ?? `format code 0x${layout.tag.toString(16)}`
      throw unsupported(wanted, found, reading.file)
    }
    const { declaredBytes: declared, dataBytes: present } = layout
    // The frames of an MP3 say themselves where the end is missing.
    if (codec === 'mpeg') return openMp3(source, layout, reading)
    if (declared > present)
      reading.cut(`Expected ${declared} bytes of samples as the header says, found ${present}.`)
    if (kind === undefined) return imaAdpcmStream(source, layout, reading)
    const { channels, sampleRate, blockAlign, dataOffset: offset, dataBytes } = layout
    return pcmStream(
      source,
      {
        container: 'WAV',
        kind,
        bits: layout.bitsPerSample,
        channels,
        sampleRate,
        // 0 where the writer left it out.
        ...(blockAlign === 0 ? {} : { blockAlign }),
        offset,
        bytes: dataBytes,
      },
      reading,
    )
  },
}

function codecOf({ tag, bitsPerSample }: WavLayout): 'mpeg' | 'ima' | undefined {
  if (tag === MP3 || tag === MPEG) return 'mpeg'
  return tag === IMA_ADPCM && bitsPerSample === 4 ? 'ima' : undefined
}

function kindOf({ tag, bitsPerSample }: WavLayout): SampleKind | undefined {
  if (tag === PCM) return bitsPerSample <= 8 ? 'unsigned' : 'signed'
  if (tag === FLOAT) return 'float'
  if (bitsPerSample !== 8) return undefined
  return tag === A_LAW ? 'a-law' : tag === MU_LAW ? 'mu-law' : undefined
}

async function openMp3(source: ByteSource, layout: WavLayout, reading: Reading): Promise<AudioStream> {
  const { dataOffset, dataBytes } = layout
  const stream = await openMpeg(sliceSource(source, dataOffset, dataOffset + dataBytes), reading)
  return { ...stream, encoding: 'WAV MP3' }
}

const names: Record<number, string> = {
  2: 'MS-ADPCM',
  [A_LAW]: 'A-law of other than 8 bits',
  [MU_LAW]: 'mu-law of other than 8 bits',
  [IMA_ADPCM]: 'IMA-ADPCM of other than 4 bits',
  34: 'TrueSpeech',
  49: 'GSM 6.10',
  64: 'G.721 ADPCM',
  69: 'G.726 ADPCM',
  101: 'G.722 ADPCM',
  353: 'WMA',
  354: 'WMA',
  255: 'AAC',
  0x2000: 'AC-3',
  0x2001: 'DTS',
  0xf1ac: 'FLAC inside WAV',
  0x566f: 'Vorbis inside WAV',
  0x674f: 'Vorbis inside WAV',
}
