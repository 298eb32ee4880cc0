import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ClipFeatures } from '../audio/index.js'
import { type Matrix, matrix } from '../base/matrix.js'
import { Rng } from '../base/rng.js'
import type { Batch } from './batch-loader.js'
import { hasOneGroup, planEpoch } from './batch-plan.js'
import { Batches, type BatchesOptions, openBatches } from './batches.js'
import { cropRows, type FeatureCrop, type FeatureSource } from './feature-source.js'
import type { Clip } from './manifest.js'

/** Clip i has captions of words i*10+1, ...; group g(i). */
function clipsOf(captionCounts: readonly number[], groupOf?: (i: number) => string): Clip[] {
  return captionCounts.map((count, i) => ({
    id: `c${i}`,
    audio: `/c${i}.wav`,
    captions: Array.from({ length: count }, (_, k) => ({ id: `c${i}#${k + 1}`, text: `${i} ${k}` })),
    ...(groupOf === undefined ? {} : { group: groupOf(i) }),
  }))
}

const bands = 2

/** Clip i: 3 + i % 5 frames, frame f holds [100·i + f, -1]. */
async function features(clip: Clip): Promise<ClipFeatures> {
  const i = Number(clip.id.slice(1))
  const rows = 3 + (i % 5)
  const numbers = Float32Array.from({ length: rows * bands }, (_, k) => (k % 2 === 0 ? 100 * i + k / 2 : -1))
  return ofFrames(matrix(rows, bands, numbers), 0.5 + i)
}

/** Frames of 0.5 s. */
const ofFrames = (features: Matrix, duration = 0): ClipFeatures => ({ features, frameStep: 0.5, duration })

function make(clips: Clip[], options: Partial<BatchesOptions> = {}): Batches {
  const encode = ({ text }: { text: string }) =>
    Int32Array.from(text.split(' ').flatMap((n) => (n === '' ? [] : [Number(n) + 2])))
  return new Batches({ clips, features, encode, batchSize: 4, seed: 7, ...options })
}

async function epochOf(batches: Batches): Promise<Batch[]> {
  const all: Batch[] = []
  for await (const batch of batches.epoch()) all.push(batch)
  return all
}

const idsOf = (epoch: readonly Batch[]) =>
  epoch.flatMap(({ items }) => items.map(({ caption }) => caption.id))
const groupsOf = ({ items }: Batch) => items.map(({ group }) => group)
const counts = fc
  .array(fc.integer({ min: 0, max: 4 }), { minLength: 2, maxLength: 30 })
  .filter((all) => all.filter(Boolean).length > 1)

describe('a batch', () => {
  it('holds padded features and tokens with their true lengths', async () => {
    const [batch] = await epochOf(make(clipsOf([1, 1, 1]), { shuffle: false, padValue: -9, leastFrames: 6 }))
    expect(batch!.audio).toEqual({
      n: 3,
      t: 6,
      bands,
      lengths: Int32Array.of(3, 4, 5),
      features: Float32Array.of(
        ...[0, -1, 1, -1, 2, -1, -9, -9, -9, -9, -9, -9],
        ...[100, -1, 101, -1, 102, -1, 103, -1, -9, -9, -9, -9],
        ...[200, -1, 201, -1, 202, -1, 203, -1, 204, -1, -9, -9],
      ),
    })
    expect(batch!.text).toEqual({
      n: 3,
      width: 2,
      lengths: Int32Array.of(2, 2, 2),
      tokens: Int32Array.of(2, 2, 3, 2, 4, 2),
    })
    expect(groupsOf(batch!)).toEqual([0, 1, 2])
    expect([batch!.epoch, batch!.index]).toEqual([0, 0])
  })

  it('pads with 0 unless told, and gives clips of one group one number', async () => {
    const [batch] = await epochOf(
      make(
        clipsOf([2, 1, 1], (i) => (i < 2 ? 'r' : 's')),
        { shuffle: false },
      ),
    )
    expect(groupsOf(batch!)).toEqual([0, 0, 0, 1])
    expect([...batch!.audio.features.subarray(6, 10)]).toEqual([0, 0, 0, 0])
  })

  it('crops to maxFrames: from the start unshuffled, anywhere when shuffled, by every item apart', async () => {
    const options = { maxFrames: 4, batchSize: 8 }
    const [plain] = await epochOf(make(clipsOf([1, 1, 1, 1, 1]), { ...options, shuffle: false }))
    expect(plain!.audio.t).toBe(4)
    expect([...plain!.audio.lengths]).toEqual([3, 4, 4, 4, 4])
    const starts = new Set<number>()
    const batches = make(clipsOf([1, 1, 1, 1, 1]), options)
    for (let epoch = 0; epoch < 40; epoch++) {
      const [batch] = await epochOf(batches)
      const row = batch!.items.findIndex(({ clip }) => clip.id === 'c4')
      starts.add(batch!.audio.features[row * 4 * bands]! - 400)
    }
    expect([...starts].sort()).toEqual([0, 1, 2, 3])
  })

  it('says which crop is wanted, and takes the part alone or the whole', async () => {
    const options = { maxFrames: 4, batchSize: 8 }
    const clips = clipsOf([1, 2, 1, 2, 1])
    const wanted: (FeatureCrop | undefined)[] = []
    const inParts: FeatureSource = async (clip, { crop }) => {
      wanted.push(crop)
      const whole = await features(clip)
      return { ...whole, features: cropRows(whole.features, crop!) }
    }
    const whole = await epochOf(make(clips, options))
    expect(await epochOf(make(clips, { ...options, features: inParts }))).toEqual(whole)
    expect(new Set(wanted.map((crop) => crop!.frames))).toEqual(new Set([4]))
    expect(new Set(wanted.map((crop) => crop!.at)).size).toBe(7)
    const uncropped: unknown[] = []
    const all: FeatureSource = (clip, { crop }) => (uncropped.push(crop), features(clip))
    await epochOf(make(clips, { features: all }))
    // A clip that is in a batch twice is read once.
    expect(uncropped.every((crop) => crop === undefined)).toBe(true)
    expect(uncropped.length).toBeLessThan(7)
  })

  it('carries who its items are, their place in the epoch and what their frames mean', async () => {
    const epoch = await epochOf(make(clipsOf([1, 1, 1, 1, 1]), { batchSize: 2 }))
    const items = epoch.flatMap((batch) => batch.items)
    expect(items.map(({ position }) => position)).toEqual([0, 1, 2, 3, 4])
    for (const { clip, caption, frameStep, duration } of items) {
      expect(caption.id).toBe(`${clip.id}#1`)
      expect(frameStep).toBe(0.5)
      expect(duration).toBe(0.5 + Number(clip.id.slice(1)))
    }
  })

  it('crops the batches of one epoch apart from each other', async () => {
    const long = async () =>
      ofFrames(
        matrix(
          100,
          1,
          Float32Array.from({ length: 100 }, (_, f) => f),
        ),
      )
    const epoch = await epochOf(make(clipsOf(Array(40).fill(1)), { features: long, maxFrames: 10 }))
    expect(new Set(epoch.map(({ audio }) => audio.features[0])).size).toBeGreaterThan(5)
  })
})

describe('an epoch', () => {
  it('visits every pair once', async () => {
    await fc.assert(
      fc.asyncProperty(
        counts,
        fc.integer({ min: 2, max: 9 }),
        fc.boolean(),
        async (captions, batchSize, shuffle) => {
          const clips = clipsOf(captions)
          const batches = make(clips, { batchSize, shuffle })
          const epoch = await epochOf(batches)
          const all = clips.flatMap((clip) => clip.captions.map(({ id }) => id))
          expect(idsOf(epoch).sort()).toEqual(all.sort())
          expect(epoch).toHaveLength(Math.ceil(all.length / batchSize))
          for (const batch of epoch) {
            const { items, text, audio } = batch
            const groups = groupsOf(batch)
            expect(items.length).toBeLessThanOrEqual(batchSize)
            items.forEach(({ clip, tokens }, i) => {
              expect([...text.tokens.subarray(i * text.width, i * text.width + text.lengths[i]!)]).toEqual([
                ...tokens,
              ])
              expect(audio.features[i * audio.t * bands]).toBe(100 * Number(clip.id.slice(1)))
              items.forEach((other, j) => expect(groups[i] === groups[j]).toBe(clip === other.clip))
            })
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('of clip items visits every clip with captions once, each caption in its turn', async () => {
    const batches = make(clipsOf([3, 0, 1, 2, 5]), { items: 'clip', batchSize: 3 })
    expect(batches.captionlessClips).toBe(1)
    expect(batches.itemsPerEpoch).toBe(4)
    const seen = new Set<string>()
    for (let n = 0; n < 60; n++) {
      const epoch = await epochOf(batches)
      expect(epoch.flatMap(({ items }) => items.map(({ clip }) => clip.id)).sort()).toEqual([
        'c0',
        'c2',
        'c3',
        'c4',
      ])
      for (const id of idsOf(epoch)) seen.add(id)
    }
    expect(seen.size).toBe(11)
  })

  it('differs from the one before when shuffled, and does not when not', async () => {
    const shuffled = make(clipsOf(Array(20).fill(1)))
    expect(idsOf(await epochOf(shuffled))).not.toEqual(idsOf(await epochOf(shuffled)))
    const plain = make(clipsOf(Array(20).fill(1)), { shuffle: false })
    expect(idsOf(await epochOf(plain))).toEqual(idsOf(await epochOf(plain)))
  })

  it('drops a batch that is not full when told, but never the only one', async () => {
    expect(await epochOf(make(clipsOf([3, 3, 3]), { dropLast: true }))).toHaveLength(2)
    expect(make(clipsOf([3, 3, 3]), { dropLast: true }).batchesPerEpoch).toBe(2)
    expect(await epochOf(make(clipsOf([1, 1]), { dropLast: true }))).toHaveLength(1)
  })

  it('leaves out captions without words', async () => {
    const clips = clipsOf([2, 2])
    const blank = { id: 'x', text: '' }
    const batches = make([
      ...clips,
      { id: 'c9', audio: '/x', captions: [blank] },
      { ...clips[0]!, id: 'c8', captions: [...clips[0]!.captions, blank] },
    ])
    expect([batches.emptyCaptions, batches.captionlessClips, batches.itemsPerEpoch]).toEqual([2, 1, 6])
  })
})

describe('negatives', () => {
  it('every shuffled batch has some wherever an exchange can bring it about', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 6 }),
        fc.integer({ min: 4, max: 40 }),
        fc.nat(999),
        async (batchSize, n, seed) => {
          // Half the clips are of one group: chance alone often gives batches of that group only.
          const batches = make(
            clipsOf(Array(n).fill(1), (i) => (i % 2 === 0 ? 'same' : `g${i}`)),
            { batchSize, seed },
          )
          const epoch = await epochOf(batches)
          const mended = epoch.filter(({ items }) => items.length > 1)
          expect(mended.some(({ items }) => hasOneGroup(items))).toBe(false)
          // A single left-over pair is joined by another one where the batch before can spare it.
          if (batchSize > 2) expect(epoch.every(({ items }) => items.length > 1)).toBe(true)
          expect(idsOf(epoch)).toHaveLength(n)
          expect(new Set(idsOf(epoch)).size).toBe(n)
        },
      ),
    )
  })

  it('counts the batches that cannot be mended', async () => {
    const batches = make(clipsOf(Array(20).fill(1), (i) => (i === 0 ? 'other' : 'same')))
    expect(batches.batchesWithoutNegatives).toBe(4)
    expect((await epochOf(batches)).filter(({ items }) => hasOneGroup(items))).toHaveLength(4)
  })

  it('data of a single group are refused, with the remedy', () => {
    expect(() => make(clipsOf([2, 3], () => 'one'))).toThrow(
      /all 2 clips share the group "one".*a batch whose clips share one group has no negatives.*different groups/,
    )
    expect(() => make(clipsOf([5]))).toThrow(/share the group "c0"/)
    expect(() => make(clipsOf([0, 0]))).toThrow(/clips with captions.*got 2 clips without any/)
    expect(() => make(clipsOf([1, 1]), { batchSize: 1 })).toThrow(/batchSize/)
    expect(() => make(clipsOf([1, 1]), { maxFrames: 0 })).toThrow(/maxFrames/)
    expect(() => make(clipsOf([1, 1]), { prefetch: -1 })).toThrow(/prefetch/)
  })
})

describe('position', () => {
  const plain = (batch: Batch) => [batch.epoch, batch.index, batch.audio, batch.text, batch.items]

  it('a restored state goes on with the same batches bit for bit', async () => {
    await fc.assert(
      fc.asyncProperty(
        counts,
        fc.nat(12),
        fc.constantFrom('clip' as const, 'pair' as const),
        async (captions, steps, items) => {
          const options = { maxFrames: 4, items }
          const through = make(clipsOf(captions), options)
          const stopped = make(clipsOf(captions), options)
          const all: Batch[] = []
          for (let n = 0; n < 20; n++) for await (const batch of through.epoch()) all.push(batch)
          let left = steps
          while (left > 0) {
            const epoch = stopped.epoch()
            while (left > 0 && !(await epoch.next()).done) left--
          }
          const again = make(clipsOf(captions), options)
          again.restore(JSON.parse(JSON.stringify(stopped.state)))
          const rest: Batch[] = []
          while (rest.length + steps < all.length) for await (const batch of again.epoch()) rest.push(batch)
          expect(rest.map(plain)).toEqual(all.slice(steps).map(plain))
        },
      ),
      { numRuns: 30 },
    )
  })

  it('does not depend on how far is read ahead nor on the order in which features come', async () => {
    const clips = clipsOf(Array(13).fill(2))
    const delays = new Rng(1)
    const slow = async (clip: Clip) => {
      await new Promise((resolve) => setTimeout(resolve, delays.int(4)))
      return features(clip)
    }
    const some = await epochOf(make(clips, { prefetch: 0, maxFrames: 3 }))
    const other = await epochOf(make(clips, { prefetch: 5, maxFrames: 3, features: slow }))
    expect(other.map(plain)).toEqual(some.map(plain))
  })

  it('reads so many batches ahead and no more', async () => {
    let asked = 0
    const counting = async (clip: Clip) => (asked++, features(clip))
    const batches = make(clipsOf(Array(40).fill(1)), { prefetch: 2, features: counting })
    await batches.epoch().next()
    expect(asked).toBe(4 * 3)
    expect(batches.state).toMatchObject({ epoch: 0, batch: 1 })
  })

  it('refuses the state of other data or options', () => {
    const { state } = make(clipsOf([1, 2, 3]))
    expect(() => make(clipsOf([1, 2, 4])).restore(state)).toThrow(/other data/)
    expect(() => make(clipsOf([1, 2, 3]), { batchSize: 5 }).restore(state)).toThrow(/other data/)
    expect(() => make(clipsOf([1, 2, 3]), { seed: 8 }).restore(state)).toThrow(/other data/)
    const batches = make(clipsOf([1, 2, 3]))
    batches.restore(state)
    expect(() => batches.rewind(0, 9)).toThrow(/whole number up to 2/)
    expect(() => batches.rewind(-1)).toThrow(/epoch/)
    batches.rewind(4, 2)
    expect(batches.state).toMatchObject({ epoch: 5, batch: 0 })
  })
})

describe('failures', () => {
  it('one bad clip of many does not end an epoch, whatever the source throws about it', async () => {
    const asked: string[] = []
    const failing = async (clip: Clip) => {
      asked.push(clip.id)
      if (clip.id === 'c9') throw new TypeError('no such row')
      return clip.id === 'c11' ? ofFrames(matrix(0, bands)) : features(clip)
    }
    const clips = clipsOf(Array(12).fill(1))
    const batches = make(clips, { shuffle: false, features: failing, batchSize: 2, maxBadShare: 0.2 })
    const seen: string[][] = []
    for await (const { items, audio } of batches.epoch()) {
      expect(audio.n).toBe(items.length)
      seen.push(items.map(({ clip }) => clip.id))
    }
    expect(seen.flat()).toEqual(clips.map(({ id }) => id).filter((id) => id !== 'c9' && id !== 'c11'))
    expect(batches.quarantine.clips.map(({ id, reasons }) => [id, reasons])).toEqual([
      ['c9', [expect.stringMatching(/clip "c9" could not be had \(TypeError: no such row\)/)]],
      ['c11', [expect.stringMatching(/no frame/)]],
    ])
    expect(batches.state).toMatchObject({ epoch: 1, batch: 0 })
    expect(asked).toHaveLength(12)
  })

  it('a batch without any usable clip is passed over', async () => {
    const failing = async (clip: Clip) => {
      if (['c2', 'c3'].includes(clip.id)) throw new Error('gone')
      return features(clip)
    }
    const clips = clipsOf(Array(6).fill(1))
    const batches = make(clips, { shuffle: false, features: failing, batchSize: 2, maxBadShare: 0.5 })
    const seen: number[] = []
    for await (const { index } of batches.epoch()) seen.push(index)
    expect(seen).toEqual([0, 2])
  })

  it('a feature source that fails names the clip, and nothing is left unhandled', async () => {
    const failing = async (clip: Clip) => {
      if (clip.id === 'c9') throw new Error('disk gone')
      return features(clip)
    }
    const batches = make(clipsOf(Array(12).fill(1)), { shuffle: false, features: failing })
    const seen: number[] = []
    await expect(async () => {
      for await (const batch of batches.epoch()) {
        seen.push(batch.index)
        // Time enough for the failure to happen while nobody waits for it.
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    }).rejects.toThrow(/c9\.wav: the features of clip "c9" could not be had \(Error: disk gone\)/)
    expect(seen).toEqual([0, 1])
    expect(batches.state).toMatchObject({ epoch: 0, batch: 2 })
    const empty = make(clipsOf([1, 1]), { features: async () => ofFrames(matrix(0, bands)) })
    await expect(epochOf(empty)).rejects.toThrow(/no frame/)
  })

  it('leaving the loop stops what is being read ahead', async () => {
    const signals: AbortSignal[] = []
    const source = async (clip: Clip, { signal }: { signal?: AbortSignal }) => (
      signals.push(signal!),
      features(clip)
    )
    for await (const { index } of make(clipsOf(Array(12).fill(1)), { features: source }).epoch())
      if (index === 0) break
    expect(signals.every((signal) => signal.aborted)).toBe(true)
  })

  it('stops when the signal fires, also while waiting for features', async () => {
    const controller = new AbortController()
    const hanging = (clip: Clip, { signal }: { signal?: AbortSignal }) =>
      clip.id === 'c5'
        ? new Promise<ClipFeatures>((_, reject) =>
            signal!.addEventListener('abort', () => reject(signal!.reason)),
          )
        : features(clip)
    const batches = make(clipsOf(Array(12).fill(1)), { shuffle: false, features: hanging })
    await expect(async () => {
      for await (const { index } of batches.epoch({ signal: controller.signal })) {
        expect(index).toBe(0)
        setTimeout(() => controller.abort(), 5)
      }
    }).rejects.toMatchObject({ code: 'ABORTED' })
    const late = make(clipsOf([1, 1])).epoch({ signal: AbortSignal.abort() })
    await expect(late.next()).rejects.toMatchObject({ code: 'ABORTED' })
  })
})

describe('a great many pairs', () => {
  const clips = clipsOf(Array.from({ length: 3000 }, () => 2))
  /** As slow as the tokeniser of a busy machine. */
  const encode = ({ text }: { text: string }) => {
    const until = performance.now() + 0.02
    while (performance.now() < until);
    return Int32Array.from(text.split(' '), Number)
  }
  const options = { clips, features, encode, batchSize: 4, seed: 7 }

  it('are made into the same batches in turns of the event loop', async () => {
    let turns = 0
    const tick = setInterval(() => turns++, 1)
    const batches = await openBatches(options)
    clearInterval(tick)
    expect(turns).toBeGreaterThan(2)
    const same = new Batches(options)
    expect(batches.state).toEqual(same.state)
    const [one, other] = [(await batches.epoch().next()).value!, (await same.epoch().next()).value!]
    expect(one).toEqual(other)
    expect(() => new Batches({ ...options, batchSize: 1 })).toThrow(/at least 2/)
    await expect(openBatches({ ...options, batchSize: 1 })).rejects.toThrow(/at least 2/)
    await expect(openBatches({ ...options, clips: [] })).rejects.toMatchObject({ code: 'INVALID_DATA' })
  })

  it('are given up when the signal fires, encoded or planned', async () => {
    const abort = new AbortController()
    setTimeout(() => abort.abort(), 5)
    let encoded = 0
    const counted = (caption: { text: string }) => (encoded++, encode(caption))
    const opening = openBatches({ ...options, encode: counted }, { signal: abort.signal })
    await expect(opening).rejects.toMatchObject({ code: 'ABORTED' })
    expect(encoded).toBeLessThan(6000)
    const planning = new Batches(options).epoch({ signal: AbortSignal.abort() })
    await expect(planning.next()).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('are planned in pieces of a few thousand', () => {
    const planned = Array.from({ length: 40_000 }, (_, i) => ({
      clip: { id: `c${i}`, audio: '', captions: [] },
      group: i,
      captions: [{ caption: { id: '1', text: '' }, tokens: Int32Array.of(2) }],
    }))
    const plan = { items: 'pair', batchSize: 32, shuffle: true, dropLast: false } as const
    const work = planEpoch(planned, plan, new Rng(1))
    let pauses = 0
    while (!work.next().done) pauses++
    expect(pauses).toBeGreaterThan(15)
  })
})
