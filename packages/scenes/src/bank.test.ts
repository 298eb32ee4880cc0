import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeWav } from '@sonotext/core/audio'
import { Rng } from '@sonotext/core/base'
import { describeWithRealData } from '@sonotext/core/testing/real-data'
import { level } from './activity.js'
import { proceduralBank, type PickOptions } from './bank.js'
import { folderBank } from './folder-bank.js'
import { synthesize } from './sound-bank.js'

const ask = (options: Partial<PickOptions> = {}): PickOptions => ({
  rng: new Rng(1, 'pick'),
  split: 'train',
  sampleRate: 16_000,
  as: 'episode',
  seconds: 3,
  ...options,
})

describe('the procedural bank', () => {
  const bank = proceduralBank()

  test('the same stream picks the same sound, and no voice is in two splits', async () => {
    const [a, b, other] = await Promise.all([
      bank.pick('dog', ask()),
      bank.pick('dog', ask()),
      bank.pick('dog', ask({ split: 'test' })),
    ])
    expect(b).toEqual(a)
    expect(other.source).not.toBe(a.source)
    expect(other.takes[0]).not.toEqual(a.takes[0])
  })

  test('occurrences are takes of one voice that differ a little', async () => {
    const { takes, counted } = await bank.pick('dog', ask({ as: 'occurrences', count: 3 }))
    expect(counted).toBe(true)
    expect(takes).toHaveLength(3)
    expect(new Set(takes.map((take) => take.length)).size).toBeGreaterThan(1)
    const lengths = takes.map((take) => take.length / 16_000)
    expect(Math.max(...lengths) / Math.min(...lengths)).toBeLessThan(1.2)
    expect(await bank.pick('siren', ask({ as: 'occurrences', count: 3 }))).toMatchObject({
      counted: false,
      takes: [{}],
    })
  })

  test('textures fill exactly, episodes stay within what is asked', async () => {
    expect((await bank.pick('rain', ask({ as: 'texture', seconds: 7 }))).takes[0]).toHaveLength(112_000)
    for (let seed = 0; seed < 10; seed++) {
      const { takes } = await bank.pick('siren', ask({ rng: new Rng(seed), seconds: 2.7 }))
      expect(takes[0]!.length).toBeLessThanOrEqual(2.7 * 16_000)
    }
  })

  test('can be narrowed to some classes', async () => {
    const small = proceduralBank({ labels: ['rain', 'dog', 'dog'] })
    expect(small.labels('any')).toEqual(['dog', 'rain'])
    expect(small.id).not.toBe(bank.id)
    await expect(small.pick('cat', ask())).rejects.toThrow(/There are: dog, rain/)
    await expect(small.pick('dgo', ask())).rejects.toThrow(/Did you mean "dog"/)
    expect(() => proceduralBank({ labels: ['rian'] })).toThrow(/Did you mean "rain"/)
    expect(() => proceduralBank({ labels: [] })).toThrow(/at least one label/)
    const lexicon = {
      dog: { role: 'event', clauses: ['a hound|bays|baying'], nouns: ['a baying hound'] },
    } as const
    expect(proceduralBank({ lexicon }).lexeme('dog').clauses[0]!.subject).toBe('a hound')
    expect(proceduralBank({ lexicon }).id).not.toBe(bank.id)
  })
})

describe('a folder of recordings', () => {
  let folder: string
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sonotext-bank-'))))
  afterAll(() => rm(folder, { recursive: true }))

  /** Puts a sound into a second of silence before and after, and writes it. */
  async function put(name: string, samples: Float32Array, sampleRate = 16_000): Promise<void> {
    const path = join(folder, name)
    await mkdir(join(path, '..'), { recursive: true })
    const padded = new Float32Array(samples.length + 2 * sampleRate)
    padded.set(samples, sampleRate)
    await writeFile(path, encodeWav(padded, sampleRate).bytes)
  }

  /** Recordings of two or three barks, or of rain. */
  async function kennel(name: string, dogs: number, rains: number): Promise<string> {
    for (let i = 0; i < dogs; i++) {
      const barks = new Float32Array(16_000 * 2.2)
      for (const [k, at] of [0, 0.7, 1.5].entries()) {
        barks.set(synthesize('dog', { seed: 10 * i + k, sampleRate: 16_000, seconds: 0.25 }), at * 16_000)
      }
      await put(`${name}/dog/dog-${i}.wav`, barks)
    }
    for (let i = 0; i < rains; i++) {
      await put(`${name}/rain/rain-${i}.wav`, synthesize('rain', { seed: i, sampleRate: 16_000, seconds: 2 }))
    }
    return join(folder, name)
  }

  test('sub-folders are classes; every class is in every split; splits share no recording', async () => {
    const bank = await folderBank(await kennel('plain', 6, 6))
    const sources: Record<string, Set<string>> = {}
    for (const split of ['train', 'validation', 'test']) {
      expect(bank.labels(split)).toEqual(['dog', 'rain'])
      sources[split] = new Set()
      for (let seed = 0; seed < 20; seed++) {
        const { source } = await bank.pick('dog', ask({ split, rng: new Rng(seed) }))
        sources[split].add(source)
      }
    }
    const all = Object.values(sources).flatMap((set) => [...set])
    expect(new Set(all).size).toBe(all.length)
    expect(sources['train']!.size).toBeGreaterThan(sources['test']!.size)
    expect(() => bank.labels('eval')).toThrow(/There are: .*train/)
  })

  test('single barks are found and counted, silence is trimmed, other rates are resampled', async () => {
    const bank = await folderBank(await kennel('count', 3, 3), { shares: { train: 1 } })
    for (let seed = 0; seed < 5; seed++) {
      const picked = await bank.pick(
        'dog',
        ask({ as: 'occurrences', count: 2, rng: new Rng(seed), sampleRate: 22_050 }),
      )
      expect(picked).toMatchObject({ counted: true, label: 'dog' })
      expect(picked.takes).toHaveLength(2)
      expect(picked.takes[0]).not.toEqual(picked.takes[1])
      for (const take of picked.takes) {
        expect(take.length / 22_050).toBeGreaterThan(0.15)
        expect(take.length / 22_050).toBeLessThan(0.5)
      }
    }
    const { takes } = await bank.pick('dog', ask({ as: 'episode', seconds: 9 }))
    expect(takes[0]!.length / 16_000).toBeLessThan(2.1)
    const short = await bank.pick('dog', ask({ as: 'episode', seconds: 1 }))
    expect(short.takes[0]).toHaveLength(16_000)
    const texture = await bank.pick('rain', ask({ as: 'texture', seconds: 9 }))
    expect(texture.takes[0]).toHaveLength(144_000)
    // Loops join with even power: no second of it is much softer than another.
    const seconds = Array.from({ length: 9 }, (_, s) =>
      level(texture.takes[0]!.subarray(s * 16_000, (s + 1) * 16_000)),
    )
    expect(Math.max(...seconds) - Math.min(...seconds)).toBeLessThan(3)
  })

  test('a CSV names class, fold and recording', async () => {
    await kennel('csv', 4, 4)
    const rows = [0, 1, 2, 3].flatMap((i) => [
      `dog/dog-${i}.wav,${i + 1},dog,d${i}`,
      `rain/rain-${i}.wav,${i + 1},rain,r${i}`,
    ])
    const csv = join(folder, 'csv', 'meta.csv')
    const write = (lines: readonly string[], header = 'filename,fold,category,src_file') =>
      writeFile(csv, [header, ...lines].join('\n'))
    const splits = { train: [1, 2, '3'], test: [4] }
    const open = (options = {}) => folderBank(join(folder, 'csv'), { csv, splits, ...options })

    await write(rows)
    const bank = await open()
    for (let seed = 0; seed < 10; seed++) {
      expect((await bank.pick('dog', ask({ split: 'test', rng: new Rng(seed) }))).source).toBe('d3')
      expect(['r0', 'r1', 'r2']).toContain((await bank.pick('rain', ask({ rng: new Rng(seed) }))).source)
    }
    expect((await open()).id).toBe(bank.id)
    expect((await open({ splits: { train: [1, 2], test: [4] } })).id).not.toBe(bank.id)
    expect((await open({ labels: ['rain'] })).labels('test')).toEqual(['rain'])

    await expect(open({ labels: ['rain', 'cat'] })).rejects.toThrow(/label cat; found: dog, rain/)
    await expect(open({ splits: { train: [1], test: [9] } })).rejects.toThrow(
      /folds 9 of the split "test".*Folds found: 1, 2, 3, 4/,
    )
    await expect(open({ splits: { train: [1, 2], test: [2] } })).rejects.toThrow(/fold 2 in two/)
    await expect(open({ columns: { label: 'kind' } })).rejects.toThrow(/missing: kind/)
    await write(rows.with(1, 'rain/rain-0.wav,4,rain,d0'))
    await expect(open()).rejects.toMatchObject({
      code: 'INVALID_DATA',
      message: expect.stringMatching(/recording "d0" is in two splits/),
    })
    await write(['dog/dog-0.wav,1,,d0'])
    await expect(open()).rejects.toMatchObject({ code: 'INVALID_FILE', file: `${csv}:2` })
    await write(['a.wav,dog'], 'name,kind')
    await expect(open()).rejects.toThrow(/filename, category/)
    await write(rows.map((row) => row.replace('/', '-')))
    await expect(open()).rejects.toThrow(/none of the 8 files is there/)

    await write(['dog/dog-0.wav,dog,train', 'dog/dog-1.wav,dog,eval'], 'file,label,split')
    const named = await folderBank(join(folder, 'csv'), { csv })
    expect((await named.pick('dog', ask({ split: 'eval' }))).source).toBe('dog/dog-1.wav')
  })

  test('missing, broken and silent files are noted and passed over; with none left the label is named', async () => {
    const path = await kennel('broken', 2, 2)
    await put('broken/dog/silent.wav', new Float32Array(8000))
    await writeFile(
      join(path, 'dog', 'cut.wav'),
      encodeWav(new Float32Array(8000).fill(0.1), 16_000).bytes.subarray(0, 20),
    )
    const bank = await folderBank(path, { shares: { train: 1 } })
    const reference = await folderBank(path, { shares: { train: 1 } })
    for (let seed = 0; seed < 30; seed++) {
      const { source } = await bank.pick('dog', ask({ rng: new Rng(seed) }))
      expect(source).toMatch(/dog-[01]\.wav/)
    }
    expect(bank.unusable.map(({ file }) => file).sort()).toEqual([
      join(path, 'dog', 'cut.wav'),
      join(path, 'dog', 'silent.wav'),
    ])
    expect(bank.unusable.map(({ reason }) => reason).join()).toMatch(/silent/)
    // What is picked does not depend on what was found out before.
    expect(await reference.pick('dog', ask({ rng: new Rng(29) }))).toEqual(
      await bank.pick('dog', ask({ rng: new Rng(29) })),
    )
    await rm(join(path, 'rain'), { recursive: true })
    await expect(bank.pick('rain', ask())).rejects.toMatchObject({
      code: 'INVALID_DATA',
      message: expect.stringMatching(/no usable recording of "rain".*rain-\d\.wav/),
    })
    await expect(bank.pick('dog', ask({ signal: AbortSignal.abort() }))).rejects.toMatchObject({
      code: 'ABORTED',
    })
  })

  test('given activity bounds what is used', async () => {
    const path = await kennel('activity', 1, 1)
    const activity = join(path, 'activity.csv')
    await writeFile(
      activity,
      'file,onset,offset\nelsewhere/rain-0.wav,1.2,1.7\ndog/dog-0.wav,1.0,1.1\ndog/dog-0.wav,1.3,1.5\n',
    )
    const bank = await folderBank(path, { shares: { train: 1 }, activity })
    expect((await bank.pick('rain', ask())).takes[0]).toHaveLength(8000)
    expect((await bank.pick('dog', ask())).takes[0]).toHaveLength(8000)
    await writeFile(activity, 'file,onset,offset\nrain-0.wav,2,1\n')
    await expect(folderBank(path, { activity })).rejects.toMatchObject({
      code: 'INVALID_FILE',
      file: `${activity}:2`,
    })
  })

  test('a class nobody described can stand in front or lie underneath', async () => {
    await put('odd/theremin/a.wav', synthesize('siren', { seed: 1, sampleRate: 16_000 }))
    const bank = await folderBank(join(folder, 'odd'), { shares: { train: 1 } })
    expect(bank.lexeme('theremin')).toMatchObject({
      role: 'both',
      unit: ['theremin sound', 'theremin sounds'],
    })
  })

  test('a folder without classes says what is missing', async () => {
    await put('flat/a.wav', new Float32Array(100))
    await expect(folderBank(join(folder, 'flat'))).rejects.toThrow(/sub-folder for each class/)
    await expect(folderBank(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'MISSING_FILE' })
    await expect(folderBank(join(folder, 'flat'), { shares: { train: 0 } })).rejects.toThrow(
      /sub-folder|share above 0/,
    )
  })
})

describeWithRealData('ESC-10', (data) => {
  test('every class has usable sounds in both splits, and single occurrences where they can be counted', async () => {
    const bank = await folderBank(join(data, 'esc10', 'audio'), {
      csv: join(data, 'esc10', 'esc10.csv'),
      splits: { train: [1, 2, 3], test: [4] },
    })
    for (const split of ['train', 'test']) {
      expect(bank.labels(split)).toHaveLength(10)
      for (const label of bank.labels(split)) {
        const { unit, unitSeconds } = bank.lexeme(label)
        for (let seed = 0; seed < 4; seed++) {
          const as = unit ? 'occurrences' : 'episode'
          const picked = await bank.pick(
            label,
            ask({ split, as, count: 2, rng: new Rng(seed, label), sampleRate: 22_050 }),
          )
          expect(picked.counted, label).toBe(unit !== null)
          for (const take of picked.takes) {
            expect(take.length / 22_050).toBeLessThanOrEqual((unit ? unitSeconds[1] : 3) + 0.01)
            expect(level(take)).toBeGreaterThan(-60)
          }
        }
      }
    }
    expect(bank.unusable).toEqual([])
  })
})
