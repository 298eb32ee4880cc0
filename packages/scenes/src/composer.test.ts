import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readMono } from '@sonotext/core/audio'
import { Rng } from '@sonotext/core/base'
import { checkClips, readManifest, type Clip } from '@sonotext/core/data'
import { describeWithRealData } from '@sonotext/core/testing/real-data'
import { level } from './activity.js'
import { proceduralBank, type SoundBank } from './bank.js'
import { composeScenes, type ComposeOptions } from './composer.js'
import { folderBank } from './folder-bank.js'
import type { SceneDescription } from './scene-description.js'
import { makeScene } from './scene.js'
import { sceneOptions, signature, sketchScenes } from './sketch.js'

let folder: string
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sonotext-scenes-'))))
afterAll(() => rm(folder, { recursive: true }))

const bank = proceduralBank()
const small: ComposeOptions = { bank, scenes: { train: 5, test: 3 }, seed: 7, duration: 4, sampleRate: 8000 }

/** Everything a folder holds, by name. */
async function contents(path: string): Promise<Record<string, string>> {
  const files = (await readdir(path, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  )
  const named = await Promise.all(
    files.map(async (file) => {
      const full = join(file.parentPath, file.name)
      return [full.slice(path.length), (await readFile(full)).toString('latin1')] as const
    }),
  )
  return Object.fromEntries(named)
}

function descriptionOf(clip: Clip): SceneDescription {
  return (clip.extra as { scene: SceneDescription }).scene
}

/** Groups, counts, order and overlap as the events show them must be those of the description. */
function expectFaithful({
  description,
  events,
  duration,
}: {
  description: SceneDescription
  events: NonNullable<Clip['events']>
  duration: number
}): void {
  const { background, groups, relations } = description
  const ground = events.filter((event) => event.label === background)
  expect(ground).toHaveLength(background === null ? 0 : 1)
  if (ground[0]) expect([ground[0].onset, ground[0].offset]).toEqual([0, duration])
  const spans = groups.map(({ label, count }) => {
    const own = events.filter((event) => event.label === label)
    expect(own).toHaveLength(count ?? 1)
    expect(new Set(own.map((event) => event.source)).size).toBe(1)
    for (let i = 1; i < own.length; i++) expect(own[i]!.onset).toBeGreaterThan(own[i - 1]!.offset)
    return [own[0]!.onset, own[own.length - 1]!.offset] as const
  })
  relations.forEach((relation, i) => {
    const [before, after] = [spans[i]!, spans[i + 1]!]
    expect(after[0]).toBeGreaterThan(before[0])
    if (relation === 'then') expect(after[0]).toBeGreaterThan(before[1])
    else expect(after[0]).toBeLessThan(before[1])
  })
}

describe('a scene', () => {
  const options = sceneOptions({ sampleRate: 16_000 })
  const sketches = sketchScenes(bank, 'train', 40, options, new Rng(3))
  const make = (i: number, over = {}) =>
    makeScene(bank, sketches[i]!, { ...options, split: 'train', rng: new Rng(i), ...over })

  test('is the sum of its layers, each at the level it promises, over a room tone', async () => {
    for (let i = 0; i < 12; i++) {
      const { samples, layers, events, description } = await make(i)
      const rest = samples.slice()
      events.forEach((event, e) => {
        const layer = layers[e]!
        expect(level(layer)).toBeCloseTo(event.level, 3)
        layer.forEach((value, t) => (rest[Math.round(event.onset * 16_000) + t]! -= value))
      })
      expect(level(rest)).toBeLessThan(-70)
      expect(samples.every((value) => Math.abs(value) < 1)).toBe(true)
      const ground = events.find((event) => event.background)
      for (const event of events.filter((e) => ground && e !== ground)) {
        expect(event.level - ground!.level).toBeGreaterThan(5.99)
        expect(event.level - ground!.level).toBeLessThan(18.01)
      }
      expectFaithful({ description, events, duration: 10 })
    }
  })

  test('levels follow the range that is asked for', async () => {
    for (let i = 0; i < 12; i++) {
      const { events } = await make(i, { gain: [3, 3] })
      const [ground, ...others] = events
      if (ground!.background)
        for (const event of others) expect(event.level - ground!.level).toBeCloseTo(3, 3)
    }
  })

  test('that is short still lets everything in it be heard', async () => {
    const short = sceneOptions({ duration: 2, sampleRate: 8000 })
    for (const [i, sketch] of sketchScenes(bank, 'train', 250, short, new Rng(1)).entries()) {
      const { events } = await makeScene(bank, sketch, { ...short, split: 'train', rng: new Rng(i, 'short') })
      for (const { label, level } of events) expect(level, label).toBeGreaterThan(-70)
    }
  })

  test('starts and ends softly, and so do its events', async () => {
    const { layers, events } = await make(0)
    layers.forEach((layer, e) => {
      const edge = level(layer.subarray(0, 16))
      expect(edge, events[e]!.label).toBeLessThan(level(layer) + 3)
      expect(Math.abs(layer[0]!)).toBeLessThan(0.01)
      expect(Math.abs(layer[layer.length - 1]!)).toBeLessThan(0.01)
    })
  })
})

describe('sketches', () => {
  const options = sceneOptions()
  test('of one split all differ, and every class has its turn', () => {
    const sketches = sketchScenes(bank, 'train', 300, options, new Rng(1))
    expect(new Set(sketches.map(signature)).size).toBe(300)
    const labels = new Set(
      sketches.flatMap(({ background, groups }) => [background, ...groups.map((group) => group.label)]),
    )
    for (const label of bank.labels('train')) expect(labels).toContain(label)
    expect(sketches).toEqual(sketchScenes(bank, 'train', 300, options, new Rng(1)))
    // More scenes of the same seed begin with the same ones.
    expect(sketchScenes(bank, 'train', 20, options, new Rng(1))).toEqual(sketches.slice(0, 20))
  })

  test('spread evenly even where there is little to choose from', () => {
    const tiny = proceduralBank({ labels: ['dog', 'rain', 'siren'] })
    const sketches = sketchScenes(tiny, 'train', 40, options, new Rng(1))
    const most = Math.max(...[...Map.groupBy(sketches, signature).values()].map((list) => list.length))
    expect(most).toBeLessThanOrEqual(5)
  })

  test('make do with events alone, or textures alone', () => {
    const events = sketchScenes(proceduralBank({ labels: ['dog', 'owl'] }), 'train', 10, options, new Rng(1))
    expect(events.every(({ background, groups }) => background === null && groups.length > 0)).toBe(true)
    const textures = sketchScenes(
      proceduralBank({ labels: ['rain', 'wind'] }),
      'train',
      10,
      options,
      new Rng(1),
    )
    expect(textures.every(({ background, groups }) => background !== null && groups.length === 0)).toBe(true)
  })

  test('keep to the options', () => {
    const narrow = sceneOptions({ groups: [2, 2], background: 1, overlap: 0, repeats: 1 })
    for (const { background, groups, relations } of sketchScenes(bank, 'train', 30, narrow, new Rng(1))) {
      expect(background).not.toBeNull()
      expect(groups).toHaveLength(2)
      expect(relations).toEqual(['then'])
      expect(groups.every(({ count }) => count === null || count === 1)).toBe(true)
    }
  })
})

describe('composeScenes', () => {
  test('writes scenes that the check finds nothing wrong with, twice the same', async () => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    const seen: number[] = []
    const made = await composeScenes({ ...small, onProgress: ({ done }) => seen.push(done) }, a)
    expect(made).toMatchObject({ manifest: join(a, 'manifest.jsonl'), scenes: 8, reused: 0, unusable: [] })
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    await composeScenes(small, b)
    const files = await contents(a)
    expect(await contents(b)).toEqual(files)
    expect(Object.keys(files).sort()).toEqual(
      [
        '/compose.json',
        '/manifest.jsonl',
        ...[1, 2, 3].map((i) => `/audio/test-${i}.wav`),
        ...[1, 2, 3, 4, 5].map((i) => `/audio/train-${i}.wav`),
      ].sort(),
    )
    const { clips } = await readManifest(made.manifest)
    expect(clips.map((clip) => clip.id)).toEqual([
      'train-1',
      'train-2',
      'train-3',
      'train-4',
      'train-5',
      'test-1',
      'test-2',
      'test-3',
    ])
    for (const clip of clips) {
      expect(clip.captions).toHaveLength(5)
      expectFaithful({ description: descriptionOf(clip), events: clip.events!, duration: 4 })
      const { samples, sampleRate } = await readMono(clip.audio)
      expect([samples.length, sampleRate]).toEqual([32_000, 8000])
    }
    const report = await checkClips(clips)
    expect(report.findings.filter(({ severity }) => severity === 'error')).toEqual([])
    await composeScenes({ ...small, seed: 8 }, join(folder, 'c'))
    expect((await contents(join(folder, 'c')))['/audio/train-1.wav']).not.toBe(files['/audio/train-1.wav'])
  })

  test('stopped anywhere it goes on, and ends with the same files', async () => {
    const whole = join(folder, 'whole')
    await composeScenes(small, whole)
    const path = join(folder, 'stopped')
    const upTo = async (scenes: number) => {
      const stop = new AbortController()
      const onProgress = ({ done }: { done: number }) => done === scenes && stop.abort()
      const stopped = composeScenes(
        { ...small, signal: stop.signal, onProgress: (p) => void onProgress(p) },
        path,
      )
      await expect(stopped).rejects.toMatchObject({ code: 'ABORTED' })
    }
    await upTo(3)
    await expect(stat(join(path, 'manifest.jsonl'))).rejects.toThrow()
    // As a kill leaves it: a line cut short. What is noted after it must not be lost.
    await appendFile(join(path, 'scenes.partial.jsonl'), '{"id":"train-4","aud')
    await upTo(4)
    // And a scene shorter than it should be.
    await writeFile(join(path, 'audio', 'train-2.wav'), 'RIFF')
    expect(await composeScenes(small, path)).toMatchObject({ reused: 3 })
    expect(await contents(path)).toEqual(await contents(whole))
    // All is there: nothing is made again, and a lost file is made anew.
    expect(await composeScenes(small, path)).toMatchObject({ reused: 8 })
    await rm(join(path, 'audio', 'test-2.wav'))
    expect(await composeScenes(small, path)).toMatchObject({ reused: 7 })
    expect(await contents(path)).toEqual(await contents(whole))
  })

  test('never mixes with other scenes', async () => {
    const path = join(folder, 'mine')
    await composeScenes({ ...small, scenes: { train: 1 } }, path)
    const before = await contents(path)
    for (const [other, what] of [
      [{ seed: 9 }, /seed was 7, now 9/],
      [{ duration: 5 }, /duration was 4, now 5/],
      [{ bank: proceduralBank({ labels: ['dog', 'rain'] }) }, /bank was/],
      [{ scenes: { train: 2 } }, /scenes was/],
    ] as const) {
      const attempt = composeScenes({ ...small, scenes: { train: 1 }, ...other }, path)
      await expect(attempt).rejects.toMatchObject({ code: 'INVALID_DATA', file: join(path, 'compose.json') })
      await expect(attempt).rejects.toThrow(what)
    }
    expect(await contents(path)).toEqual(before)
    const foreign = await mkdtemp(join(folder, 'foreign-'))
    await writeFile(join(foreign, 'manifest.jsonl'), '{"id":"a","audio":"a.wav"}\n')
    await expect(composeScenes(small, foreign)).rejects.toThrow(/not composed here/)
  })

  test('a folder that cannot be made is named; a bank that fails leaves what was done', async () => {
    const file = join(folder, 'a-file')
    await writeFile(file, '')
    await expect(composeScenes(small, join(file, 'below'))).rejects.toMatchObject({ code: 'WRITE_FAILED' })
    let picks = 0
    const failing: SoundBank = {
      id: bank.id,
      unusable: [],
      labels: (split) => bank.labels(split),
      lexeme: (label) => bank.lexeme(label),
      pick: async (label, options) => {
        if (++picks > 6) throw new Error('the disk is gone')
        return bank.pick(label, options)
      },
    }
    const path = join(folder, 'failing')
    await expect(composeScenes({ ...small, bank: failing }, path)).rejects.toThrow('the disk is gone')
    expect((await composeScenes(small, path)).reused).toBeGreaterThan(0)
  })

  test.each([
    [{ scenes: {} }, /at least one scene/],
    [{ scenes: { train: -1 } }, /scenes.train, got -1/],
    [{ scenes: { '../x': 1 } }, /a split, got/],
    [{ seed: 0.5 }, /seed, got 0.5/],
    [{ duration: 1 }, /2 to 600 seconds/],
    [{ duration: NaN }, /duration/],
    [{ sampleRate: 100 }, /sampleRate, got 100/],
    [{ groups: [3, 1] as const }, /groups, got "3, 1"/],
    [{ groups: [0, 0] as const }, /groups/],
    [{ background: 1.5 }, /background, got 1.5/],
    [{ overlap: -1 }, /overlap, got -1/],
    [{ repeats: 0 }, /repeats, got 0/],
    [{ gain: [10, 5] as const }, /gain, got "10, 5"/],
    [{ captions: 0 }, /captions, got 0/],
  ])('refuses %j', async (wrong, message) => {
    const path = join(folder, 'never')
    await expect(composeScenes({ ...small, ...wrong }, path)).rejects.toThrow(message)
    await expect(stat(path)).rejects.toThrow()
  })
})

describeWithRealData('scenes of real clips', (data) => {
  test('twenty from ESC-10: no recording in both splits, levels as promised, nothing for the check to find', async () => {
    const real = await folderBank(join(data, 'esc10', 'audio'), {
      csv: join(data, 'esc10', 'esc10.csv'),
      splits: { train: [1, 2, 3], test: [4] },
    })
    const { manifest } = await composeScenes(
      { bank: real, scenes: { train: 14, test: 6 }, seed: 3 },
      join(folder, 'esc10'),
    )
    const { clips } = await readManifest(manifest)
    const sources = (split: string) =>
      new Set(
        clips
          .filter((clip) => clip.split === split)
          .flatMap((clip) => clip.events!.map((event) => event.source!)),
      )
    expect([...sources('train')].filter((source) => sources('test').has(source))).toEqual([])
    // Folds are the first digit of a file's name: those of the test recordings are all 4.
    const folds = new Map(
      (await readdir(join(data, 'esc10', 'audio'))).map((name) => [name.split('-')[1]!, name[0]!]),
    )
    for (const source of sources('test')) expect(folds.get(source)).toBe('4')
    for (const source of sources('train')) expect(folds.get(source)).toMatch(/[123]/)
    for (const clip of clips) {
      expectFaithful({ description: descriptionOf(clip), events: clip.events!, duration: 10 })
      const { samples } = await readMono(clip.audio)
      expect(level(samples)).toBeGreaterThan(-55)
      const { background } = descriptionOf(clip)
      const ground = clip.events!.find((event) => event.label === background)
      for (const event of clip.events!) {
        if (ground === undefined || event === ground) continue
        const over = event.level! - ground.level!
        expect(over).toBeGreaterThan(5.9)
        expect(over).toBeLessThan(18.1)
        // And in the file itself: while the event lasts, the scene is about as loud as the event and whatever lies under it.
        const part = samples.subarray(Math.round(event.onset * 22_050), Math.round(event.offset * 22_050))
        expect(level(part)).toBeGreaterThan(event.level! - 1.5)
      }
    }
    const report = await checkClips(clips)
    expect(report.findings.filter(({ severity }) => severity === 'error')).toEqual([])
    expect(new Set(clips.flatMap((clip) => clip.tags!)).size).toBe(10)
  })
})
