import type { ByteSource } from '../byte-source.js'
import type { AudioFormat, AudioStream, Reading } from './format.js'
import { type OggLink, type OggPage, walkOgg } from './ogg-pages.js'
import type { OggStream, OggTrack } from './ogg-track.js'
import { OpusTrack } from './opus.js'
import { unsupported } from './refusals.js'
import { ascii, beginsLike } from './text.js'
import { VorbisTrack } from './vorbis.js'

interface OggCodec {
  readonly name: string
  readonly magic: RegExp
  /** Left out for what is not read. */
  readonly track?: () => OggTrack
  /** Whether it may lie beside the sound: a table of contents, pictures. */
  readonly aside?: boolean
}

const codecs: readonly OggCodec[] = [
  { name: 'Vorbis', magic: /^\.vorbis/, track: () => new VorbisTrack() },
  { name: 'Opus', magic: /^OpusHead/, track: () => new OpusTrack() },
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
  async open(source, reading) {
    const tracks: { codec: OggCodec; track: OggTrack | undefined }[] = []
    const links = await walkOgg(source, reading, (number, page) => {
      if (number === tracks.length) {
        const codec = codecOf(page)
        tracks.push({ codec, track: codec.track?.() })
      }
      tracks[number]!.track?.add(page)
    })
    const all = links.map((link, number) => ({ link, ...tracks[number]! }))
    const sounding = all.filter(({ codec }) => codec.aside !== true)
    if (links.length === 0) throw reading.damaged('Expected an Ogg stream, found only its first bytes.')
    if (sounding.length === 0) {
      const names = all.map(({ codec }) => codec.name).join(' and ')
      throw unsupported('sound in the Ogg container', `only ${names}`, reading.file)
    }
    const other = sounding.find(({ track }) => track === undefined)
    if (other !== undefined) {
      const found = other.codec.name === '' ? 'only its first bytes' : `"${other.codec.name}"`
      throw other.codec.name === ''
        ? reading.damaged(`Expected a codec header in the Ogg stream, found ${found}.`)
        : unsupported('Vorbis or Opus in the Ogg container', found, reading.file)
    }
    if (overlap(sounding.map(({ link }) => link)))
      throw unsupported('one sound track in the Ogg container', `${sounding.length} at once`, reading.file)
    return joined(await openAll(sounding, source, reading), reading)
  },
}

async function openAll(
  sounding: readonly { link: OggLink; track: OggTrack | undefined }[],
  source: ByteSource,
  reading: Reading,
): Promise<OggStream[]> {
  const streams: OggStream[] = []
  for (const { link, track } of sounding) streams.push(await track!.open(source, link, reading))
  return streams
}

function codecOf({ packets }: OggPage): OggCodec {
  const head = ascii(packets[0] ?? new Uint8Array(), 0, 8)
  return codecs.find(({ magic }) => magic.test(head)) ?? { name: head.length < 8 ? '' : head, magic: /^/ }
}

/** Whether one begins before the one in front of it has ended. */
function overlap(links: readonly OggLink[]): boolean {
  return links.some(({ start }, i) => i > 0 && links[i - 1]!.end > start)
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
