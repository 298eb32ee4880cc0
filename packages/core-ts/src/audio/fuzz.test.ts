import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { SonotextError } from '../base/errors.js'
import { mutated, numbers } from '../testing/mutate-audio.js'
import { memorySource } from './byte-source.js'
import { decodeAudio } from './decode.js'
import { Reading } from './formats/format.js'
import { recognize } from './formats/recognize.js'

// Real files with faults: each gives samples or a SonotextError, and no more work than stands here. SONOTEXT_FUZZ sets how many
// inputs every reader gets (2,000 without it), SONOTEXT_FUZZ_SEED the first of them.
const inputs = Number(process.env.SONOTEXT_FUZZ ?? 2000)
const firstSeed = Number(process.env.SONOTEXT_FUZZ_SEED ?? 0)

const data = fileURLToPath(new URL('../../test-data/audio/', import.meta.url))
/** Inputs that once broke a reader; kept so that they never do again. */
const seeds = join(data, 'fuzz-seeds')

const kinds: Readonly<Record<string, readonly string[]>> = {
  WAV: [
    'odd/pipe-sox.wav',
    'formats/pcm-24-stereo.wav',
    'formats/ima-adpcm-stereo.wav',
    'formats/float-32-rf64.wav',
    'odd/mp3-in.wav',
  ],
  FLAC: ['odd/ape.flac', 'formats/flac-8.flac', 'formats/flac-16-stereo.flac'],
  MP3: ['odd/lame.mp3', 'odd/noinfo.mp3', 'odd/joined.mp3', 'odd/stereo.mp3'],
  Ogg: ['odd/id3.ogg', 'formats/vorbis.ogg'],
  Opus: ['odd/tiny.opus', 'odd/tiny.opus', 'odd/tiny.opus', 'odd/cut.opus'],
  AIFF: ['odd/s16be.aiff', 'odd/f64be.aiff', 'odd/alaw.aiff', 'odd/stereo.aiff', 'odd/pipe-sox.aiff'],
  AU: ['odd/s16be.au', 'odd/f32be.au', 'odd/mulaw.au', 'odd/pipe-ffmpeg.au'],
  CAF: ['odd/s16be.caf', 'odd/f64le.caf', 'odd/alaw.caf', 'odd/s24le.caf'],
}

/** Most samples of all channels in one block, and blocks for each byte of the file: memory and calls of a decoder. */
const mostInBlock = 2 ** 22
const mostBlocks = (bytes: number) => 16 + bytes / 8
const maxSeconds = 20

async function read(bytes: Uint8Array): Promise<void> {
  const acceptCut = bytes.length % 2 === 0
  const result = await decodeAudio(bytes, { maxSeconds, acceptCut }).catch((error: unknown) => error)
  if (!(result instanceof SonotextError)) {
    const { channels, sampleRate } = result as Awaited<ReturnType<typeof decodeAudio>>
    expect(channels[0]!.length).toBeLessThanOrEqual(maxSeconds * sampleRate)
    return
  }
  expect(result.message.length).toBeLessThan(600)
  expect(result.remedy).toMatch(/\w/)
  expect(result.code).toMatch(/^(INVALID_FILE|INVALID_DATA|TOO_LONG|UNSUPPORTED)$/)
}

/** The work behind one input, block by block, where its length is one that would be decoded. */
async function measure(bytes: Uint8Array): Promise<void> {
  let blocks = 0
  try {
    const recognized = await recognize(memorySource(bytes), 'clip')
    if ('refusal' in recognized) return
    const stream = await recognized.format.open(recognized.source, new Reading('clip', { acceptCut: true }))
    if ((stream.samples ?? 0) > maxSeconds * stream.sampleRate) return
    for await (const block of stream.blocks) {
      blocks++
      expect(block.length * (block[0]?.length ?? 0)).toBeLessThanOrEqual(mostInBlock)
    }
  } catch (error) {
    if (!(error instanceof SonotextError)) throw error
  }
  expect(blocks).toBeLessThanOrEqual(mostBlocks(bytes.length))
}

describe('files with faults', () => {
  it.each(Object.entries(kinds))(
    '%s',
    async (kind, names) => {
      const files = names.map((name) => new Uint8Array(readFileSync(join(data, name))))
      for (let seed = firstSeed; seed < firstSeed + inputs; seed++) {
        const bytes = mutated(files, numbers(seed))
        try {
          await (seed % 8 === 0 ? measure(bytes) : read(bytes))
        } catch (cause) {
          mkdirSync(seeds, { recursive: true })
          const name = `${kind.toLowerCase()}-${seed}`
          writeFileSync(join(seeds, name), bytes)
          throw new Error(`seed ${seed}, kept as test-data/audio/fuzz-seeds/${name}`, { cause })
        }
      }
    },
    60_000 + inputs * 100,
  )

  it.each(existsSync(seeds) ? readdirSync(seeds) : [])('%s, which once broke a reader', async (name) => {
    const bytes = new Uint8Array(readFileSync(join(seeds, name)))
    await read(bytes)
    await measure(bytes)
  })
})
