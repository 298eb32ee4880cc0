import type { AudioFormat, AudioStream, Reading } from './format.js'
import { oggLinks, type OggLink, type OggStream } from './ogg-pages.js'
import { opusLink } from './opus.js'
import { unsupported } from './refusals.js'
import { ascii, beginsLike } from './text.js'
import { vorbisLink } from './vorbis.js'

interface OggCodec {
  readonly name: string
  readonly magic: RegExp
  /** Left out for what is not read. */
  readonly open?: (link: OggLink, reading: Reading) => Promise<OggStream>
  /** Whether it may lie beside the sound: a table of contents, pictures. */
  readonly aside?: boolean
}

const codecs: readonly OggCodec[] = [
  { name: 'Vorbis', magic: /^\.vorbis/, open: vorbisLink },
  { name: 'Opus', magic: /^OpusHead/, open: opusLink },
  { name: 'FLAC', magic: /^\.FLAC/ },
  { name: 'Speex', magic: /^Speex/ },
  { name: 'Theora', magic: /^\.theora/, aside: true },
  { name: 'Skeleton', magic: /^fishead/, aside: true },
  { name: 'Kate', magic: /^\.kate/, aside: true },
]

/** Ogg with Vorbis or Opus, chained or beside a video; other codecs are refused by name. */
export const ogg: AudioFormat = {
  name: 'Ogg',
  sniff: (bytes) => beginsLike(bytes, /^OggS/),
  async open(bytes, reading) {
    const links = oggLinks(bytes, reading)
    const sounding = links
      .map((link) => ({ link, codec: codecOf(link) }))
      .filter(({ codec }) => codec.aside !== true)
    if (links.length === 0) throw reading.damaged('Expected an Ogg stream, found only its first bytes.')
    if (sounding.length === 0)
      throw unsupported('sound in the Ogg container', `only ${names(links)}`, reading.file)
    const other = sounding.find(({ codec }) => codec.open === undefined)
    if (other !== undefined) {
      const found = other.codec.name === '' ? 'only its first bytes' : `"${other.codec.name}"`
      throw other.codec.name === ''
        ? reading.damaged(`Expected a codec header in the Ogg stream, found ${found}.`)
        : unsupported('Vorbis or Opus in the Ogg container', found, reading.file)
    }
    if (overlap(sounding.map(({ link }) => link)))
      throw unsupported('one sound track in the Ogg container', `${sounding.length} at once`, reading.file)
    const streams: OggStream[] = []
    for (const { link, codec } of sounding) streams.push(await codec.open!(link, reading))
    return joined(streams, reading)
  },
}

function codecOf({ pages }: OggLink): OggCodec {
  const head = ascii(pages[0]?.packets[0] ?? new Uint8Array(), 0, 8)
  return codecs.find(({ magic }) => magic.test(head)) ?? { name: head.length < 8 ? '' : head, magic: /^/ }
}

function names(links: readonly OggLink[]): string {
  return links.map((link) => codecOf(link).name).join(' and ')
}

/** Whether one begins before the one in front of it has ended. */
function overlap(links: readonly OggLink[]): boolean {
  return links.some((link, i) => {
    const before = links[i - 1]
    return before !== undefined && before.pages.at(-1)!.bytes.byteOffset > link.pages[0]!.bytes.byteOffset
  })
}

/** Chained recordings one behind the other, as players play them. */
function joined(streams: readonly OggStream[], reading: Reading): AudioStream {
  const [first] = streams
  if (first === undefined) throw reading.damaged('Expected an Ogg stream, found none.')
  if (streams.length === 1) return first
  const other = streams.find(
    ({ sampleRate, channels }) => sampleRate !== first.sampleRate || channels !== first.channels,
  )
  if (other !== undefined) {
    const shape = ({ sampleRate, channels }: OggStream) => `${channels} × ${sampleRate} Hz`
    const found = `chained recordings of ${shape(first)} and ${shape(other)}`
    throw unsupported('one rate and channel count in a chained Ogg file', found, reading.file)
  }
  async function* blocks() {
    for (const stream of streams) yield* stream.blocks
  }
  return { ...first, samples: streams.reduce((sum, { samples }) => sum + samples, 0), blocks: blocks() }
}
