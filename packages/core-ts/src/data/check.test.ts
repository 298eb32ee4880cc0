import { copyFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeWav } from '../audio/index.js'
import { silentFlac } from '../testing/silent-flac.js'
import { describeWithRealData } from '../testing/real-data/index.js'
import { checkClips, type CheckOptions } from './check.js'
import type { Finding } from './finding.js'
import { readCsv } from '../base/csv.js'
import { Rng } from '../base/rng.js'
import { importClotho } from './import/clotho.js'
import type { Clip } from './manifest.js'
import { Quarantine } from './quarantine.js'

const rate = 8000
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'check-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** A 32-bit float WAV of one channel. */
function wav(samples: Float32Array, sampleRate = rate): Buffer {
  const header = Buffer.alloc(44)
  header.write('RIFF', 0)
  header.writeUInt32LE(36 + samples.byteLength, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(3, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(sampleRate, 24)
  header.writeUInt32LE(4 * sampleRate, 28)
  header.writeUInt16LE(4, 32)
  header.writeUInt16LE(32, 34)
  header.write('data', 36)
  header.writeUInt32LE(samples.byteLength, 40)
  return Buffer.concat([header, Buffer.from(samples.buffer)])
}

/** One second of a tone that no other clip has. */
function tone(hertz: number, amplitude = 0.5, seconds = 1): Float32Array {
  return Float32Array.from(
    { length: Math.round(seconds * rate) },
    (_, i) => amplitude * Math.sin((2 * Math.PI * hertz * i) / rate),
  )
}

async function clip(id: string, contents: Uint8Array | null, more: Partial<Clip> = {}): Promise<Clip> {
  const audio = join(folder, `${id}.wav`)
  if (contents !== null) await writeFile(audio, contents)
  return { id, audio, captions: [{ id: `${id}#1`, text: `caption of ${id}` }], ...more }
}

async function findings(clips: Clip[], options: CheckOptions = {}): Promise<Finding[]> {
  return [...(await checkClips(clips, options)).findings]
}

const brief = (all: readonly Finding[]) => all.map(({ clip: id, severity, kind }) => [id, severity, kind])

describe('the summary', () => {
  it('counts splits whatever they are called', async () => {
    const clips = ['constructor', '__proto__', 'constructor'].map((split, i) => {
      return { id: `${i}`, audio: join(folder, 'none.wav'), captions: [], split }
    })
    const { summary } = await checkClips(clips)
    expect(Object.entries(summary.splits)).toEqual([
      ['constructor', 2],
      ['__proto__', 1],
    ])
  })
})

describe('audio files', () => {
  it('every kind of bad file is found and named, and good ones are not', async () => {
    const clipped = tone(300, 2).map((x) => Math.max(-1, Math.min(1, x)))
    const bad = tone(310)
    bad[17] = Number.NaN
    const clips = [
      await clip('good', wav(tone(200))),
      await clip('missing', null),
      await clip('no-bytes', Buffer.alloc(0)),
      await clip('no-samples', wav(new Float32Array(0))),
      await clip('not-audio', Buffer.from('file_name,caption_1\na,b\n')),
      await clip('cut', wav(tone(220))),
      await clip('nan', wav(bad)),
      await clip('zeros', wav(new Float32Array(rate))),
      await clip('faint', wav(tone(230, 0.0005))),
      await clip('flat', wav(clipped)),
      await clip('blip', wav(tone(240, 0.5, 0.05))),
      await clip('long', wav(tone(250, 0.5, 3))),
      await clip('loud-but-whole', wav(tone(260, 1))),
    ]
    await truncate(clips[5]!.audio, 4000)
    const all = await findings(clips, { maxSeconds: 2 })
    expect(brief(all)).toEqual([
      ['missing', 'error', 'missing'],
      ['no-bytes', 'error', 'empty'],
      ['no-samples', 'error', 'empty'],
      ['not-audio', 'error', 'corrupt'],
      ['cut', 'error', 'corrupt'],
      ['nan', 'error', 'not-finite'],
      ['zeros', 'error', 'silent'],
      ['faint', 'error', 'silent'],
      ['flat', 'warning', 'clipped'],
      ['blip', 'error', 'too-short'],
      ['long', 'error', 'too-long'],
    ])
    for (const { file, clip: id, message, remedy } of all) {
      expect(file).toBe(join(folder, `${id}.wav`))
      expect(message).not.toContain(folder)
      expect(message).toMatch(/^\S.*\.$/)
      expect(remedy, message).toMatch(/\.$|ffmpeg/)
      expect(message).not.toContain(remedy)
    }
    expect(all.map(({ message }) => message).join('\n')).toMatch(
      /holds only zeros\.\npeaks at -66\.\d dBFS, below -60 dBFS\./,
    )
  })

  it('channels that cancel each other are not too quiet', async () => {
    const left = tone(200)
    const { bytes } = encodeWav([left, left.map((x) => -x)], rate)
    const [finding, ...more] = await findings([await clip('opposite', bytes)])
    expect(more).toEqual([])
    expect(finding).toMatchObject({
      kind: 'silent',
      message: expect.stringContaining('cancel each other') as string,
    })
    expect(finding!.remedy).not.toMatch(/louder/)
  })

  it('a file whose end is missing is kept with a warning where that is accepted', async () => {
    const clips = [await clip('short-of-two', wav(tone(300)).subarray(0, -2))]
    expect(brief(await findings(clips))).toEqual([['short-of-two', 'error', 'corrupt']])
    const accepted = await findings(clips, { decode: { acceptCut: true } })
    expect(brief(accepted)).toEqual([['short-of-two', 'warning', 'cut']])
    expect(accepted[0]!.message).toMatch(
      /^Expected 32000 bytes of samples as the header says, found 31998\.$/,
    )
  })

  it('a clip past the limit is refused before it is decoded', async () => {
    // 14 kB that stand for 1,417 s: silence in blocks of 65,535 samples.
    const [finding] = await findings([await clip('bomb', silentFlac(62_500_000))])
    expect(finding).toMatchObject({
      kind: 'too-long',
      message: 'Expected at most 600 s of audio, found 1417.23 s or more.',
    })
  })

  it('audio of a kind that is not read', async () => {
    expect(
      brief(await findings([await clip('m4a', Buffer.from('\0\0\0\x20ftypM4A \0\0\0\0aaaaaaaaaaaaaaaa'))])),
    ).toEqual([['m4a', 'error', 'unsupported']])
  })

  it('limits can be moved', async () => {
    const clips = [await clip('short', wav(tone(200, 0.002, 0.05)))]
    expect(brief(await findings(clips, { minSeconds: 0, silenceDb: -50 }))).toEqual([
      ['short', 'error', 'silent'],
    ])
    expect(await findings(clips, { minSeconds: 0.01 })).toEqual([])
    await expect(checkClips(clips, { maxSeconds: 0 })).rejects.toThrow(/maxSeconds/)
    await expect(checkClips(clips, { concurrency: 0 })).rejects.toThrow(/concurrency/)
  })

  it('a stated duration or rate that is not the file’s', async () => {
    const wrong = await clip('wrong', wav(tone(200)), { duration: 10, sampleRate: 44_100 })
    const all = await findings([
      wrong,
      await clip('right', wav(tone(210)), { duration: 1.04, sampleRate: rate }),
    ])
    expect(all.map(({ clip: id, kind, message }) => [id, kind, message])).toEqual([
      ['wrong', 'mismatch', 'lasts 1.00 s, but the manifest says 10.00 s.'],
      ['wrong', 'mismatch', 'has 8000 Hz, but the manifest says 44100 Hz.'],
    ])
  })
})

describe('one recording twice', () => {
  it('the same audio under two names: a duplicate in one split, a leak over two; another header does not hide it', async () => {
    const a = await clip('a', wav(tone(200)), { split: 'train' })
    const b = await clip('b', null, { split: 'train' })
    const c = await clip('c', null, { split: 'test' })
    await copyFile(a.audio, b.audio)
    const chunk = Buffer.concat([Buffer.from('LIST\x04\0\0\0'), Buffer.from('INFO')])
    const bytes = wav(tone(200))
    const padded = Buffer.concat([bytes.subarray(0, 36), chunk, bytes.subarray(36)])
    padded.writeUInt32LE(padded.length - 8, 4)
    await writeFile(c.audio, padded)
    const all = await findings([a, b, c, await clip('d', wav(tone(205)), { split: 'train' })])
    expect(brief(all)).toEqual([
      ['a', 'error', 'leak'],
      ['b', 'error', 'leak'],
      ['b', 'warning', 'duplicate'],
    ])
    expect(all[0]!.message).toBe('shares the same audio with "c" of the split "test".')
  })

  it('the same sound, quieter, cut or shifted: told in one split unless it is known, a leak over two', async () => {
    const sound = (name: string) => {
      const rng = new Rng(5, name)
      let low = 0
      return Float32Array.from({ length: 3 * rate }, () => (low += 0.4 * (rng.normal() - low)) / 4)
    }
    const [rain, street, sea] = ['rain', 'street', 'sea'].map(sound) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ]
    const shifted = new Float32Array(4 * rate)
    shifted.set(rain, 2345)
    const event = { events: [{ label: 'waves', onset: 0, offset: 1, source: 'sea.wav' }] }
    const clips = [
      await clip('rain', wav(rain), { split: 'train' }),
      await clip('rain-quiet', wav(rain.map((x) => x / 4)), { split: 'train' }),
      await clip('rain-late', wav(shifted), { split: 'test' }),
      await clip('street', wav(street), { split: 'train', group: 'street' }),
      await clip('street-end', wav(street.subarray(rate)), { split: 'train', group: 'street' }),
      await clip('sea', wav(sea), { split: 'train', ...event }),
      await clip('sea-end', wav(sea.subarray(rate)), { split: 'train', ...event }),
    ]
    const { findings: all, duplicates, summary } = await checkClips(clips)
    expect(all.map(({ severity, kind, clip: id, message }) => [severity, kind, id, message])).toEqual([
      ['error', 'leak', 'rain', 'shares 3.0 s of sound with "rain-late" of the split "test".'],
      ['error', 'leak', 'rain-quiet', 'shares 3.0 s of sound with "rain-late" of the split "test".'],
      ['warning', 'near-duplicate', 'rain-quiet', 'shares 3.0 s of sound with "rain".'],
    ])
    expect(summary.kinds).toEqual({ leak: 2, 'near-duplicate': 1 })
    expect(duplicates.map(({ clip: id, duplicate }) => `${id} ${duplicate}`)).toEqual([
      'rain rain-quiet',
      'rain rain-late',
      'rain-quiet rain-late',
      'street street-end',
      'sea sea-end',
    ])
    const late = duplicates[1]!
    expect(late.duplicateAt - late.at).toBeCloseTo(2345 / rate, 1)
    const exact = await checkClips(clips, { nearDuplicates: false })
    expect([exact.findings, exact.duplicates]).toEqual([[], []])
  })

  it('a group, a file or an event source in two splits; the smaller split keeps the recording', async () => {
    const event = (source: string) => ({ events: [{ label: 'x', onset: 0, offset: 1, source }] })
    const clips = [
      await clip('a', null, { split: 'test', group: 'g' }),
      await clip('b', null, { split: 'train', group: 'g' }),
      await clip('c', null, { split: 'train', group: 'h', ...event('bark.wav') }),
      await clip('d', null, { split: 'test', ...event('bark.wav') }),
      await clip('e', null, { split: 'train', group: 'h' }),
      await clip('f', null, { group: 'g' }),
      await clip('g', null, { split: 'test', audio: join(folder, 'e.wav') }),
      await clip('h', null, { split: 'train', group: 'i' }),
    ]
    const all = await findings(clips, { audio: false })
    expect(all.map(({ clip: id, message }) => [id, message])).toEqual([
      ['b', 'shares the group "g" with "a" of the split "test".'],
      ['c', 'shares the recording "bark.wav" with "d" of the split "test".'],
      ['e', 'shares the audio file with "g" of the split "test".'],
    ])
    expect(brief(all).every(([, severity, kind]) => severity === 'error' && kind === 'leak')).toBe(true)
  })
})

describe('captions and events', () => {
  it('captions that are missing, without words, or those of another clip', async () => {
    const caption = (text: string, n: number) => ({ id: `x${n}`, text })
    const clips = [
      await clip('a', null, { captions: [caption('A dog barks.', 1), caption('...', 2)] }),
      await clip('b', null, { captions: [] }),
      await clip('c', null, { captions: [caption('a dog, barks', 3), caption('a dog barks', 4)] }),
      await clip('d', null, { captions: [caption('rain', 5), caption('Rain', 6)] }),
    ]
    expect(
      (await findings(clips, { audio: false })).map(({ clip: id, kind, message }) => [id, kind, message]),
    ).toEqual([
      ['a', 'empty-caption', 'the caption "x2" has no word, so that training passes over it.'],
      ['b', 'no-captions', 'has no caption, so that training passes over it.'],
      ['c', 'duplicate-caption', 'has the caption "a dog, barks" that "a" has too.'],
      ['d', 'duplicate-caption', 'has the caption "Rain" that it already has.'],
    ])
    expect(await findings([clips[1]!], { audio: false })).toEqual([])
  })

  it('event times that are reversed or outside the clip', async () => {
    const events = [
      [0, 1],
      [0.5, 1.04],
      [0.5, 1.2],
      [1, 2],
      [0.5, 0.5],
    ].map(([onset, offset]) => ({ label: 'dog', onset: onset!, offset: offset! }))
    const real = await clip('real', wav(tone(200)), { events })
    const kinds = (all: Finding[]) =>
      all.map(({ severity, message }) => [severity, message.replace(/^.*\) /, '')])
    const outside = [
      ['warning', 'lasts beyond the end of the clip at 1.00 s.'],
      ['error', 'starts after the end of the clip at 1.00 s.'],
      ['error', 'does not end after it starts.'],
    ]
    expect(kinds(await findings([real]))).toEqual(outside)
    expect(kinds(await findings([{ ...real, duration: 1 }], { audio: false }))).toEqual(outside)
    expect(kinds(await findings([real], { audio: false }))).toEqual(outside.slice(2))
  })
})

describe('the report', () => {
  it('sums up, counts a clip once however many errors it has, and tells progress', async () => {
    const clips = [
      await clip('a', wav(tone(200, 0.5, 2)), { split: 'train' }),
      await clip('b', null, { split: 'train', events: [{ label: 'x', onset: 2, offset: 1 }] }),
      await clip('c', wav(tone(300)), { split: 'test' }),
      await clip('d', wav(tone(310))),
    ]
    await rm(clips[1]!.audio, { force: true })
    const steps: number[] = []
    const { summary } = await checkClips(clips, { onProgress: (done, total) => steps.push(done / total) })
    expect(summary).toEqual({
      clips: 4,
      captions: 4,
      seconds: 4,
      splits: { train: 2, test: 1, '': 1 },
      sampleRates: { 8000: 3 },
      kinds: { missing: 1, 'event-times': 1 },
      bad: 1,
      badShare: 0.25,
    })
    expect(steps).toEqual([0.25, 0.5, 0.75, 1])
    expect((await checkClips([])).summary).toMatchObject({ clips: 0, badShare: 0 })
  })

  it('does not depend on how many files are looked at together', async () => {
    const clips = await Promise.all(
      Array.from({ length: 9 }, (_, i) =>
        clip(`n${i}`, i % 3 === 0 ? null : wav(tone(200 + (i % 2), 0.5)), { split: 'x' }),
      ),
    )
    for (const c of clips.filter((_, i) => i % 3 === 0)) await rm(c.audio, { force: true })
    expect(await checkClips(clips, { concurrency: 1 })).toEqual(await checkClips(clips, { concurrency: 9 }))
  })

  it('stops when the signal fires', async () => {
    const clips = [await clip('a', wav(tone(200))), await clip('b', wav(tone(210)))]
    const controller = new AbortController()
    const options = { concurrency: 1, signal: controller.signal, onProgress: () => controller.abort() }
    await expect(checkClips(clips, options)).rejects.toMatchObject({ code: 'ABORTED' })
  })
})

describe('Quarantine', () => {
  it('sets bad clips aside with their reasons and tells when there are too many', async () => {
    const clips = await Promise.all(
      Array.from({ length: 20 }, (_, i) => clip(`q${i}`, i === 3 ? null : wav(tone(200 + i)))),
    )
    await rm(clips[3]!.audio, { force: true })
    const quarantine = new Quarantine(clips.length, 0.05)
    quarantine.addFindings((await checkClips(clips)).findings)
    expect(quarantine.clips).toEqual([
      { id: 'q3', audio: clips[3]!.audio, reasons: [expect.stringMatching(/^missing: Expected/)] },
    ])
    expect(quarantine.keep(clips).map(({ id }) => id)).toEqual(
      clips.filter((_, i) => i !== 3).map(({ id }) => id),
    )
    expect([quarantine.share, quarantine.exceeded]).toEqual([0.05, false])
    quarantine.refuseExceeded()
    quarantine.add(clips[5]!, 'features failed')
    quarantine.add(clips[5]!, 'features failed')
    expect(quarantine.exceeded).toBe(true)
    expect(() => quarantine.refuseExceeded()).toThrow(
      /2 of 20 clips are bad \(10 %, allowed 5 %\): "q3" \(missing: .*\), "q5" \(features failed\)/,
    )
    const path = join(folder, 'bad.jsonl')
    await quarantine.save(path)
    expect(
      (await readFile(path, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(quarantine.clips)
  })

  it('warnings set nothing aside, and the share must be one', () => {
    const quarantine = new Quarantine(1)
    quarantine.addFindings([{ severity: 'warning', kind: 'clipped', clip: 'a', file: 'f', message: 'm' }])
    expect(quarantine.clips).toEqual([])
    expect(() => new Quarantine(1, 5)).toThrow(/share from 0 to 1/)
    expect(new Quarantine(0).exceeded).toBe(false)
  })
})

describeWithRealData('check on real data', (data) => {
  it('finds nothing wrong with real recordings but a few clipped ones, and a recording that came twice', async () => {
    const { rows } = await readCsv(join(data, 'metadata.csv'))
    const clips = rows.map((row): Clip => ({
      id: row.get('file'),
      audio: join(data, row.get('file')),
      captions: [],
      // Cuts of one recording, by their names.
      group: /(?:^|\/)\d-(\d+)-[A-Z]-\d+\.wav$/.exec(row.get('file'))?.[1] ?? row.get('file'),
      duration: Number(row.get('duration_s')),
      sampleRate: Number(row.get('sample_rate')),
    }))
    const { summary, findings: all } = await checkClips(clips)
    expect(summary).toMatchObject({ clips: 388, bad: 0 })
    // FireBurning.wav and FireBurning_v2.wav of one author: their waveforms correlate by 0.98 and 0.91.
    // Three pairs of short sounds are alike too, such as two speakers' "five": a warning that no long passage gives.
    const isShort = (message: string) => /^shares [01]\.[0-4] s of sound/.test(message)
    const found = all.filter(({ kind }) => kind !== 'clipped')
    expect(found.filter(({ message }) => isShort(message)).length).toBeLessThanOrEqual(3)
    expect(
      found
        .filter(({ message }) => !isShort(message))
        .map(({ clip: id, kind, message }) => [id, kind, message]),
    ).toEqual([
      [
        'esc10/audio/2-30322-A-12.wav',
        'near-duplicate',
        'shares 5.0 s of sound with "esc10/audio/2-28314-A-12.wav".',
      ],
      [
        'esc10/audio/2-30322-B-12.wav',
        'near-duplicate',
        expect.stringMatching(/^shares [\d.]+ s of sound with "esc10\/audio\/2-28314-B-12\.wav"\.$/),
      ],
    ])
    expect(summary.kinds.clipped).toBeLessThan(10)
  })

  it('finds the recordings that Clotho’s splits share and the captions it repeats', async () => {
    const clips = await Promise.all(
      ['development', 'validation'].map((split) =>
        importClotho({
          captions: join(data, 'clotho', `clotho_captions_${split}.csv`),
          metadata: join(data, 'clotho', `clotho_metadata_${split}.csv`),
          audio: join('/audio', split),
          split,
        }),
      ),
    )
    const { summary, findings: all } = await checkClips(clips.flat(), { audio: false })
    expect(summary).toMatchObject({ clips: 4_884, captions: 24_420, bad: 2, kinds: { leak: 2 } })
    expect(
      all.filter(({ kind }) => kind === 'leak').every(({ clip: id }) => id.startsWith('development/')),
    ).toBe(true)
    expect(summary.kinds['duplicate-caption']).toBeGreaterThanOrEqual(17)
  })
})
