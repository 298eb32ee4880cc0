import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { decodeAudio } from '../decode.js'

// Files in the shapes that programs leave behind; make.mjs beside them says how each was made and what others read of it.
const folder = fileURLToPath(new URL('../../../test-data/audio/odd/', import.meta.url))

interface Reference {
  rate: number
  channels: number
  samples: number
  energy: number
  /** Index and value of some samples of the first channel. */
  values: [number, number][]
}

interface Entry {
  file: string
  kind: string
  how: string
  refused?: string
  /** Samples a channel. */
  libsndfile?: number | null
  ffmpeg?: Reference | null
}

const { files } = JSON.parse(readFileSync(join(folder, 'files.json'), 'utf8')) as { files: Entry[] }

/** Samples where libsndfile is not followed, and why. Elsewhere it is the reference, and ffmpeg where it does not read the file. */
const settled: Readonly<Record<string, readonly [samples: number, because: string]>> = {
  'cut.ogg': [40_192, 'as ffmpeg: libsndfile leaves samples out where positions begin before 0'],
  'chained.ogg': [32_000, 'libsndfile stops at the second recording, ffmpeg keeps the padding of the first'],
  'chained.opus': [
    28_800,
    'libsndfile stops at the second recording; ffmpeg does not skip what lets its decoder settle',
  ],
  'more-frames.mp3': [6400, 'as ffmpeg and mpg123: libsndfile leaves out what is not declared'],
  'stereo.opus': [24_000, 'as ffmpeg: 48 kHz; libsndfile decodes to the rate that the encoder was given'],
  'tiny.opus': [2400, 'as ffmpeg: 48 kHz'],
  'id3.ogg': [800, 'as the file without its tag; libsndfile refuses it, ffmpeg keeps the padding'],
}

/** Where the samples of ffmpeg's own Opus decoder are others; opusdec (libopus) gives what is read here. */
const otherSamples = ['chained.opus', 'tiny.opus']

/** Sample for sample; lossy decoders round differently, and that of ffmpeg for several channels most. */
function tolerance(file: string): number {
  if (file === 'surround.opus') return 1e-2
  return /mp3|ogg|opus/.test(file) ? 3e-5 : 1e-7
}

describe('files of other programs', () => {
  it.each(files.filter(({ refused }) => refused === undefined))('$kind $file: $how', async (entry) => {
    const { file, libsndfile, ffmpeg } = entry
    const { channels, sampleRate } = await decodeAudio(join(folder, file))
    const [first] = channels
    expect([channels.length, sampleRate]).toEqual([ffmpeg!.channels, ffmpeg!.rate])
    expect(first!.length).toBe(settled[file]?.[0] ?? (libsndfile || ffmpeg!.samples))
    if (ffmpeg!.samples !== first!.length || otherSamples.includes(file)) return
    for (const [i, value] of ffmpeg!.values)
      expect(Math.abs(first![i]! - value), `sample ${i}`).toBeLessThanOrEqual(tolerance(file))
    const energy = first!.reduce((sum, x) => sum + x * x, 0)
    expect(Math.abs(energy / ffmpeg!.energy - 1)).toBeLessThan(file === 'surround.opus' ? 0.05 : 1e-4)
  })

  it('a last frame that lacks its padding byte, as shineenc writes it, is whole', async () => {
    const bytes = readFileSync(join(folder, 'noinfo.mp3'))
    const { channels } = await decodeAudio(bytes)
    const lastFrame = bytes.length - 144
    expect(bytes.readUInt16BE(lastFrame) & 0xffe0).toBe(0xffe0)
    bytes[lastFrame + 2]! |= 2
    expect((await decodeAudio(bytes)).channels).toEqual(channels)
    const twice = await decodeAudio(Buffer.concat([bytes, bytes]))
    expect(twice.channels[0]).toHaveLength(2 * channels[0]!.length)
  })

  it('chained recordings are the recordings one behind the other', async () => {
    const [all, one] = await Promise.all(
      ['chained.opus', 'plain.opus'].map((file) => decodeAudio(join(folder, file))),
    )
    expect(all!.channels[0]!.subarray(0, 14_400)).toEqual(one!.channels[0])
    expect(all!.channels[0]!.subarray(14_400)).toEqual(one!.channels[0])
  })

  it.each(files.filter(({ refused }) => refused !== undefined))(
    '$kind $file is refused as $refused',
    async ({ file, refused }) => {
      const path = join(folder, file)
      const error = await decodeAudio(path).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'UNSUPPORTED', file: path })
      expect((error as Error).message).toContain(`found ${refused}`)
      expect((error as { remedy: string }).remedy).toContain(`ffmpeg -i "${path}" -c:a pcm_s16le out.wav`)
    },
  )
})
