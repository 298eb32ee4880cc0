import { describe, expect, it } from 'vitest'
import type { ClipFeatures } from '../audio/index.js'
import { matrix } from '../base/matrix.js'
import {
  type CaptionOrder,
  captionsByRule,
  neighbouringCaptions,
  tokenize,
  Vocabulary,
} from '../text/index.js'
import type { Batch } from './batch-loader.js'
import { Batches, type BatchesOptions } from './batches.js'
import type { Clip } from './manifest.js'

const texts = ['a dog barks twice', 'rain falls, then a bell rings', 'wind blows']
const clips: Clip[] = Array.from({ length: 18 }, (_, i) => {
  const text = `${texts[i % 3]!} ${'abcdef'.charAt(i / 3)}`
  return { id: `c${i}`, audio: `/c${i}.wav`, captions: [{ id: `c${i}#1`, text }] }
})
const vocabulary = Vocabulary.build(clips.map(({ captions }) => tokenize(captions[0]!.text)))
const features = (): Promise<ClipFeatures> =>
  Promise.resolve({ features: matrix(2, 1, new Float32Array(2)), frameStep: 1, duration: 2 })

function make(options: Partial<BatchesOptions>): Batches {
  const encode = ({ text }: { text: string }) => vocabulary.encode(tokenize(text))
  return new Batches({ clips, features, encode, batchSize: 6, seed: 7, ...options })
}

async function epochOf(batches: Batches): Promise<Batch[]> {
  const all: Batch[] = []
  for await (const batch of batches.epoch()) all.push(batch)
  return all
}

const placesOf = (batches: readonly Batch[]) =>
  batches.flatMap(({ items }) => items.map(({ clip }) => clip.id))

describe('an order', () => {
  it('puts neighbours into one batch and leaves nothing out; the next epoch is another', async () => {
    const batches = make({ order: neighbouringCaptions(3) })
    const [first, second] = [await epochOf(batches), await epochOf(batches)]
    for (const { items } of first)
      for (let at = 0; at < 6; at += 3)
        expect(new Set(items.slice(at, at + 3).map(({ clip }) => Number(clip.id.slice(1)) % 3)).size).toBe(1)
    for (const epoch of [first, second])
      expect(new Set(placesOf(epoch))).toEqual(new Set(clips.map(({ id }) => id)))
    expect(placesOf(second)).not.toEqual(placesOf(first))
  })

  it('is not asked where nothing is shuffled', async () => {
    const order: CaptionOrder = { config: {}, order: () => { throw new Error('asked') } } // prettier-ignore
    expect(placesOf(await epochOf(make({ order, shuffle: false })))).toEqual(clips.map(({ id }) => id))
  })
})

describe('a writer', () => {
  const writer = captionsByRule(['order', 'count'], 1)

  it('adds rows to the text of a batch, made from its captions', async () => {
    const plain = await epochOf(make({}))
    const batches = await epochOf(make({ writer }))
    expect(placesOf(batches)).toEqual(placesOf(plain))
    for (const [b, { items, text, audio, written = [] }] of batches.entries()) {
      expect(written.map(({ of }) => items[of]!.caption.text)).not.toContain('wind')
      expect(text.n).toBe(6 + written.length)
      expect(audio.n).toBe(6)
      expect([...text.lengths.subarray(0, 6)]).toEqual([...plain[b]!.text.lengths])
      for (const [k, { of, caption }] of written.entries()) {
        expect(caption.id).toMatch(new RegExp(`^${items[of]!.caption.id}~(order|count)$`))
        const tokens = text.tokens.subarray((6 + k) * text.width, (6 + k) * text.width + text.lengths[6 + k]!)
        expect(tokens).toEqual(vocabulary.encode(tokenize(caption.text)))
      }
    }
    // Two of three captions have something to change.
    expect(batches.flatMap(({ written = [] }) => written)).toHaveLength(12)
    expect(plain.every((batch) => !('written' in batch))).toBe(true)
  })

  it('writes the same after a stop, and a state is not taken for other wishes', async () => {
    const options = { writer: captionsByRule(['count'], 0.5), order: neighbouringCaptions(2) }
    const whole = await epochOf(make(options))
    const stopped = make(options)
    for await (const batch of stopped.epoch()) if (batch.index === 0) break
    const again = make(options)
    again.restore(JSON.parse(JSON.stringify(stopped.state)) as typeof stopped.state)
    expect(await epochOf(again)).toEqual(whole.slice(1))
    for (const other of [{}, { order: options.order }, { ...options, order: neighbouringCaptions(3) }])
      expect(() => make(other).restore(stopped.state)).toThrow(/other data/)
  })
})
