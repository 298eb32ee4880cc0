import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWithRealData } from '../../testing/real-data/index.js'
import { groupOf, readManifest, writeManifest } from '../manifest.js'
import { importAudioCaps } from './audiocaps.js'
import { importClotho } from './clotho.js'
import { importFolder } from './folder.js'
import { locateAudio } from './locate.js'
import { importMatches } from './matches.js'
import { shareSplits } from './share.js'
import { importWavText5K } from './wavtext5k.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'import-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function file(name: string, contents: string | Uint8Array): Promise<string> {
  const path = join(folder, name)
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, contents)
  return path
}

const clothoHeader = 'file_name,caption_1,caption_2,caption_3,caption_4,caption_5'
const metadataHeader = 'file_name,keywords,sound_id,sound_link,start_end_samples,manufacturer,license'

describe('importClotho', () => {
  it('joins captions and metadata, ISO-8859-1 or UTF-8', async () => {
    const captions = await file(
      'c.csv',
      `${clothoHeader}\n a b.wav,One.,"Two, two.",Three.,Four.,Five.\nn.wav,1,2,3,4,5\n`,
    )
    const about = `${metadataHeader}\na b.wav,rain;  wind;,77,https://x/77,"[441, 882441]",José,CC0\nn.wav,,Not found,,,,\n`
    for (const encoding of ['latin1', 'utf8'] as const) {
      const metadata = await file('m.csv', Buffer.from(about, encoding))
      expect(await importClotho({ captions, metadata, audio: join(folder, 'wav'), split: 'train' })).toEqual([
        {
          id: 'train/a b.wav',
          audio: join(folder, 'wav', 'a b.wav'),
          captions: ['One.', 'Two, two.', 'Three.', 'Four.', 'Five.'].map((text, i) => ({
            id: `train/a b.wav#${i + 1}`,
            text,
          })),
          split: 'train',
          group: 'freesound/77',
          duration: 20,
          sampleRate: 44_100,
          tags: ['rain', 'wind'],
          source: 'https://x/77',
          author: 'José',
          license: 'CC0',
        },
        expect.objectContaining({ id: 'train/n.wav', tags: [] }),
      ])
    }
    expect((await importClotho({ captions, audio: folder, split: 'x' }))[1]).not.toHaveProperty('tags')
  })

  it('finds the audio file of a name with a blank whichever way it is spelled on disk', async () => {
    const captions = await file('c.csv', `${clothoHeader}\n a.wav,1,2,3,4,5\n`)
    expect((await importClotho({ captions, audio: folder, split: 'x' }))[0]!.audio).toBe(
      join(folder, 'a.wav'),
    )
    const blank = await file('blank/ a.wav', '')
    expect((await importClotho({ captions, audio: join(folder, 'blank'), split: 'x' }))[0]!.audio).toBe(blank)
  })

  it('refuses missing columns, another encoding of the captions, and metadata of another split', async () => {
    const of = (captions: string, metadata?: string) =>
      importClotho({ captions, audio: folder, split: 'x', ...(metadata === undefined ? {} : { metadata }) })
    await expect(of(await file('short.csv', 'file_name,caption_1\na,b\n'))).rejects.toThrow(
      /short\.csv: expected the columns file_name.*missing: caption_2, caption_3, caption_4, caption_5; found: file_name, caption_1\./,
    )
    await expect(
      of(await file('l.csv', Buffer.from(`${clothoHeader}\né,1,2,3,4,5\n`, 'latin1'))),
    ).rejects.toThrow(/l\.csv:2: .*iconv/)
    const good = await file('c.csv', `${clothoHeader}\na.wav,1,2,3,4,5\n`)
    await expect(of(good, await file('m.csv', 'file_name,keywords\n'))).rejects.toThrow(
      /m\.csv: .*missing: sound_id/,
    )
    await expect(of(good, await file('m.csv', `${metadataHeader}\nb.wav,,,,,,\n`))).rejects.toThrow(
      /m\.csv: describes none of the 1 clips.*same split/,
    )
    await expect(of(join(folder, 'none.csv'))).rejects.toMatchObject({ code: 'MISSING_FILE' })
  })
})

describe('importAudioCaps', () => {
  const header = 'audiocap_id,youtube_id,start_time,caption'

  it('makes one clip of the rows of one excerpt, also for ids that start with a hyphen', async () => {
    const captions = await file(
      'a.csv',
      `${header}\n1,-ab_C,30,One\n2,xyz,0,Two\n3,-ab_C,30,Three\n4,-ab_C,100,Four\n`,
    )
    const clips = await importAudioCaps({
      captions,
      audio: folder,
      split: 'val',
      filePattern: '{ytid}_{start:3}_{end:3}.wav',
    })
    expect(clips.map((clip) => [clip.id, clip.audio, groupOf(clip), clip.captions])).toEqual([
      [
        '-ab_C_30',
        join(folder, '-ab_C_30.000_40.000.wav'),
        'youtube/-ab_C',
        [
          { id: '1', text: 'One' },
          { id: '3', text: 'Three' },
        ],
      ],
      ['xyz_0', join(folder, 'xyz_0.000_10.000.wav'), 'youtube/xyz', [{ id: '2', text: 'Two' }]],
      ['-ab_C_100', join(folder, '-ab_C_100.000_110.000.wav'), 'youtube/-ab_C', [{ id: '4', text: 'Four' }]],
    ])
    const names = async (filePattern?: string) =>
      (
        await importAudioCaps({ captions, audio: '/', split: 'v', ...(filePattern ? { filePattern } : {}) })
      ).map((clip) => clip.audio)
    expect((await names())[0]).toBe('/Y-ab_C.wav')
    expect((await names('{audiocap_id}.flac'))[0]).toBe('/1.flac')
    expect((await names('{ytid}_{start}_{end}.wav'))[0]).toBe('/-ab_C_30_40.wav')
  })

  it('refuses missing columns, times that are none, and unknown placeholders', async () => {
    const of = (captions: string, filePattern?: string) =>
      importAudioCaps({ captions, audio: folder, split: 'v', ...(filePattern ? { filePattern } : {}) })
    await expect(of(await file('b.csv', 'youtube_id,start_time,caption\n'))).rejects.toThrow(
      /missing: audiocap_id; found: youtube_id/,
    )
    await expect(of(await file('b.csv', `${header}\n1,a,soon,x\n`))).rejects.toThrow(
      /b\.csv:2: expected seconds for start_time, got "soon"/,
    )
    await expect(of(await file('b.csv', `${header}\n1,a,,x\n`))).rejects.toThrow(/got ""/)
    await expect(of(await file('b.csv', `${header}\n1,,3,x\n`))).rejects.toThrow(
      /youtube_id, got an empty cell/,
    )
    const good = await file('b.csv', `${header}\n1,a,3,x\n`)
    for (const pattern of ['x.wav', '{id}.wav', '{ytid.wav', '{ytid}{.wav']) {
      await expect(of(good, pattern)).rejects.toThrow(/filePattern/)
    }
  })
})

describe('importFolder', () => {
  it('joins rows of one file and reads the usual column names', async () => {
    const captions = await file(
      'f.csv',
      'filename,text,split,license\na.wav,One,train,CC0\nb/c.wav,Two,test,\na.wav,Three,train,CC0\n',
    )
    expect(await importFolder(folder, { captions })).toEqual([
      {
        id: 'a.wav',
        audio: join(folder, 'a.wav'),
        captions: [
          { id: 'a.wav#1', text: 'One' },
          { id: 'a.wav#2', text: 'Three' },
        ],
        split: 'train',
        license: 'CC0',
      },
      {
        id: 'b/c.wav',
        audio: join(folder, 'b', 'c.wav'),
        captions: [{ id: 'b/c.wav#1', text: 'Two' }],
        split: 'test',
      },
    ])
  })

  it('reads named columns, several caption columns, tags, and a default split', async () => {
    const captions = await file(
      'f.csv',
      'clip;one;two;src;kinds\na.wav;1;;s1;dog; wolf\n'.replace('dog; wolf', '"dog; wolf"'),
    )
    const columns = { file: 'clip', caption: ['one', 'two'], group: 'src', tags: 'kinds' }
    expect(await importFolder('/x', { captions, columns, delimiter: ';', split: 'train' })).toEqual([
      {
        id: 'a.wav',
        audio: '/x/a.wav',
        captions: [{ id: 'a.wav#1', text: '1' }],
        split: 'train',
        group: 's1',
        tags: ['dog', 'wolf'],
      },
    ])
    const numbered = await file('g.csv', 'file,caption_1,caption_2\na,x,y\n')
    expect((await importFolder('/x', { captions: numbered }))[0]!.captions.map((c) => c.text)).toEqual([
      'x',
      'y',
    ])
    const none = await importFolder('/x', { captions: numbered, columns: { caption: null, id: 'caption_1' } })
    expect(none).toEqual([{ id: 'x', audio: '/x/a', captions: [] }])
  })

  it('without a CSV takes the audio files below the folder in order', async () => {
    await file('audio/b.WAV', '')
    await file('audio/a/z.flac', '')
    await file('audio/notes.txt', '')
    const clips = await importFolder(join(folder, 'audio'), { split: 'test' })
    expect(clips.map((clip) => [clip.id, clip.split])).toEqual([
      ['a/z.flac', 'test'],
      ['b.WAV', 'test'],
    ])
    await mkdir(join(folder, 'empty'))
    await expect(importFolder(join(folder, 'empty'))).rejects.toThrow(
      /holds no audio file that is read\. It is empty/,
    )
    await expect(importFolder(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'MISSING_FILE' })
  })

  it('refuses missing columns, an empty file cell and rows that disagree', async () => {
    const of = (captions: string, options = {}) => importFolder(folder, { captions, ...options })
    await expect(of(await file('h.csv', 'name,words\na,b\n'))).rejects.toThrow(
      /expected the columns file, caption; missing: file, caption; found: name, words/,
    )
    const good = await file('h.csv', 'file,caption,split\na.wav,x,train\n')
    await expect(of(good, { columns: { group: 'recording' } })).rejects.toThrow(/missing: recording/)
    await expect(of(await file('h.csv', 'file,caption\n,x\n'))).rejects.toThrow(
      /h\.csv:2: the cell of "file" is empty/,
    )
    await expect(of(await file('h.csv', 'file,caption,split\na,x,train\na,y,test\n'))).rejects.toThrow(
      /h\.csv:3: the split of "a" is not that of line 2/,
    )
  })
})

describe('captions of other shapes', () => {
  it.each<[string, string, object]>([
    ['fname', 'fname,caption\na.wav,a dog\n', {}],
    ['capitals', 'File_Name,Caption\na.wav,a dog\n', {}],
    ['semicolons', 'Filename;Description\na.wav;a dog\n', {}],
    [
      'named columns',
      'Datei;Beschreibung\na.wav;a dog\n',
      { columns: { file: 'Datei', caption: 'beschreibung' } },
    ],
    ['a pattern', 'ytid,start_s,caption\na,1.5,a dog\n', { filePattern: '{ytid}_{start:3}.wav' }],
    ['a named delimiter', 'file#caption\na.wav#a dog\n', { delimiter: '#' }],
    ['backslashes', 'file,caption\nsub\\a.wav,a dog\n', {}],
  ])('%s', async (name, csv, options) => {
    const [clip, ...rest] = await importFolder('/x', { captions: await file('shape.csv', csv), ...options })
    expect(rest).toEqual([])
    expect(clip!.captions.map(({ text }) => text)).toEqual(['a dog'])
    expect(clip!.audio).toBe(
      { 'a pattern': '/x/a_1.500.wav', backslashes: '/x/sub/a.wav' }[name] ?? '/x/a.wav',
    )
  })

  it('prints the names that are accepted, and how others are named', async () => {
    const captions = await file('odd.csv', 'Datei;Beschreibung\na.wav;x\n')
    await expect(importFolder('/x', { captions })).rejects.toThrow(
      /missing: file, caption; found: Datei, Beschreibung\. .*such as file;caption\. Names of the file column: file, file_name, filename, fname.*caption column: caption, captions, text.*--column file=NAME/,
    )
    await expect(importFolder('/x', { captions, columns: { file: 'Datie', caption: null } })).rejects.toThrow(
      /missing: Datie; .*"Datei" may be meant/,
    )
    await expect(importFolder('/x', { captions, filePattern: '{id}.wav' })).rejects.toThrow(/Datei/)
  })

  it('WavText5K: the title where there is no description', async () => {
    const captions = await file(
      'w.csv',
      'view_link,download_link,title,description,fname,tags\nhttps://x/1,https://x/1.wav,Forest,"Birds, singing.",1.wav,"bird,wood"\n,,Scream,,2.wav,\n',
    )
    expect(await importWavText5K({ captions, audio: '/w' })).toEqual([
      {
        id: '1.wav',
        audio: '/w/1.wav',
        captions: [{ id: '1.wav#1', text: 'Birds, singing.' }],
        tags: ['bird', 'wood'],
        source: 'https://x/1',
      },
      { id: '2.wav', audio: '/w/2.wav', captions: [{ id: '2.wav#1', text: 'Scream' }] },
    ])
    const other = await file('w2.csv', 'fname,caption\na,b\n')
    await expect(importWavText5K({ captions: other, audio: '/w' })).rejects.toThrow(
      /missing: title, description/,
    )
  })

  it('several matches a query: a clip for each file', async () => {
    const captions = await file(
      'q.csv',
      `query,audio_filenames\nrain,"['a.wav', ""b's.wav""]"\nwater,['a.wav']\n`,
    )
    const clips = await importMatches({ captions, audio: '/q', split: 'test' })
    expect(clips.map(({ id, split, captions: of }) => [id, split, of.map(({ text }) => text)])).toEqual([
      ['a.wav', 'test', ['rain', 'water']],
      ["b's.wav", 'test', ['rain']],
    ])
    const bad = await file('q2.csv', 'query,audio_filenames\nrain,a.wav\n')
    await expect(importMatches({ captions: bad, audio: '/q' })).rejects.toThrow(
      /q2\.csv:2: expected a list such as/,
    )
  })

  it('metadata that most clips lack are of another split; a few without are mentioned', async () => {
    const rows = (names: string[]) => names.map((name) => `${name},1,2,3,4,5\n`).join('')
    const captions = await file('c.csv', `${clothoHeader}\n${rows(['a', 'b', 'c', 'd'])}`)
    const about = (names: string[]) =>
      `${metadataHeader}\n${names.map((name) => `${name},k,,,,,\n`).join('')}`
    const notes: string[] = []
    const of = (metadata: string) =>
      importClotho({ captions, metadata, audio: '/', split: 'x', onNote: (note) => notes.push(note) })
    await expect(of(await file('m.csv', about(['a', 'x', 'y', 'z'])))).rejects.toThrow(
      /m\.csv: describes only 1 of the 4 clips/,
    )
    expect(await of(await file('m.csv', about(['a', 'b', 'd'])))).toHaveLength(4)
    expect(notes).toEqual([`${join(folder, 'm.csv')}: 1 of 4 clips have no metadata, the first is "c"`])
  })
})

describe('locateAudio', () => {
  it('looks in several folders and says where missing files may be', async () => {
    for (const name of ['one/a.wav', 'two/b.wav', 'two/deep/c.wav', 'two/deep/d.flac', 'two/E.WAV'])
      await file(`find/${name}`, '')
    const [one, two] = [join(folder, 'find/one'), join(folder, 'find/two')]
    const clips = ['a.wav', 'b.wav', 'c.wav', 'd', 'e.wav', 'f.wav'].map((id) => ({
      id,
      audio: join(one, id),
      captions: [],
    }))
    const found = await locateAudio(clips, [one, two])
    expect(found.clips.slice(0, 2).map(({ audio }) => audio)).toEqual([
      join(one, 'a.wav'),
      join(two, 'b.wav'),
    ])
    expect(found.missing).toEqual(['c.wav', 'd', 'e.wav', 'f.wav'])
    expect(found.hint).toBe(
      `1 lies in another folder: --audio ${join(two, 'deep')}; 1 lacks its ending: --file-pattern "{file}.wav"; 1 is spelled with other capitals ("c.wav" is ${join(two, 'deep/c.wav')}).`,
    )
    expect(await locateAudio(clips.slice(0, 2), [one, two])).toMatchObject({
      missing: [],
      hint: '',
      note: '',
    })
  })

  it('finds names that are written in another way', async () => {
    const names = [
      'aud/a.wav',
      'aud/sub/b.wav',
      'aud/c d.wav',
      `aud/${'Bäche'.normalize('NFD')}.wav`,
      'aud/100%.wav',
    ]
    for (const name of names) await file(`spell/${name}`, '')
    const audio = join(folder, 'spell/aud')
    const csv = await file(
      'spell/s.csv',
      'file,caption\naud\\a.wav,x\nC:\\data\\sub\\b.wav,x\nfile:///data/c%20d.wav,x\nBäche.wav,x\n./100%.wav,x\n',
    )
    const found = await locateAudio(await importFolder(audio, { captions: csv }), [audio])
    expect(found.clips.map((clip) => clip.audio)).toEqual(names.map((name) => join(folder, 'spell', name)))
    expect(found).toMatchObject({ missing: [], hint: '' })
    expect(found.note).toBe(
      `4 audio files are there under another spelling, such as "aud/a.wav": ${join(audio, 'a.wav')}.`,
    )
  })

  it('gives no file to two names', async () => {
    await file('clash/x.wav', '')
    const audio = join(folder, 'clash')
    const of = (...ids: string[]) =>
      locateAudio(
        ids.map((id) => ({ id, audio: join(audio, id), captions: [] })),
        [audio],
      )
    expect(await of('train/x.wav', 'test/x.wav')).toMatchObject({
      missing: ['train/x.wav', 'test/x.wav'],
      hint: '',
      note: '',
    })
    expect((await of('x.wav', 'test/x.wav')).missing).toEqual(['test/x.wav'])
    const near = relative('.', audio)
    const named = ['x.wav', 'test/x.wav'].map((id) => ({ id, audio: resolve(near, id), captions: [] }))
    expect((await locateAudio(named, [near])).missing).toEqual(['test/x.wav'])
    expect((await of('https://x.org/x.wav')).missing).toEqual(['https://x.org/x.wav'])
    expect((await of('https://x.org/b.wav')).hint).toMatch(
      /^1 is an address, and nothing is fetched: download it first/,
    )
  })
})

describe('shareSplits', () => {
  const clips = Array.from({ length: 1000 }, (_, i) => ({
    id: `c${i}`,
    audio: `/c${i}`,
    captions: [],
    group: `g${Math.floor(i / (1 + (i % 5)))}`,
  }))
  const shares = { train: 0.8, validation: 0.1, test: 0.1 }

  it('keeps recordings together, meets the shares, and depends on seed and names only', () => {
    const shared = shareSplits(clips, shares)
    const splits = new Map(Map.groupBy(shared, groupOf))
    for (const members of splits.values()) expect(new Set(members.map(({ split }) => split)).size).toBe(1)
    const count = (split: string) => shared.filter((clip) => clip.split === split).length
    const largest = Math.max(...Array.from(splits.values(), (members) => members.length))
    expect(Math.abs(count('train') - 800)).toBeLessThanOrEqual(largest)
    expect(Math.abs(count('test') - 100)).toBeLessThanOrEqual(2 * largest)
    const turned = shareSplits(clips.toReversed(), shares)
    expect(turned.toReversed()).toEqual(shared)
    expect(shareSplits(clips, shares, 18)).not.toEqual(shared)
  })

  it('leaves no split empty while there are recordings enough', () => {
    for (let n = 3; n < 12; n++) {
      const few = clips.slice(0, n).map(({ group: _, ...clip }) => clip)
      expect(new Set(shareSplits(few, shares).map(({ split }) => split))).toEqual(
        new Set(Object.keys(shares)),
      )
    }
  })

  it('refuses shares that are none and clips that have a split', () => {
    for (const bad of [{}, { train: 0.5 }, { train: 1.5, test: -0.5 }]) {
      expect(() => shareSplits(clips, bad)).toThrow(/shares above 0 that sum to 1/)
    }
    expect(() => shareSplits([{ ...clips[0]!, split: 'x' }], shares)).toThrow(/"c0" belongs to "x"/)
  })

  it('keeps the splits that are there, whole recordings with them, and counts them', () => {
    // 300 of 1000 clips, in pairs of one recording: a clip of each pair says the split of both.
    const pairs = clips.map((clip, i) => ({ ...clip, group: `r${i >> 1}` }))
    const given = (i: number) =>
      i < 200 && i % 2 === 0 ? 'test' : i < 300 && i % 2 === 0 ? 'extra' : undefined
    const partly = pairs.map((clip, i) => ({ ...clip, ...(given(i) && { split: given(i)! }) }))
    const shared = shareSplits(partly, shares)
    expect(shared.slice(0, 300).map(({ split }) => split)).toEqual(
      Array.from({ length: 300 }, (_, i) => (i < 200 ? 'test' : 'extra')),
    )
    const count = (split: string) => shared.filter((clip) => clip.split === split).length
    // Of the 900 in the three splits a tenth is for test, which has more: the others share the 700 left as 8 to 1.
    expect(count('test')).toBe(200)
    expect(Math.abs(count('train') - (700 * 8) / 9)).toBeLessThanOrEqual(2)
    const [few] = [partly.map((clip, i) => (i < 20 ? clip : pairs[i]!))]
    expect(
      Math.abs(shareSplits(few!, shares).filter(({ split }) => split === 'test').length - 100),
    ).toBeLessThan(3)
  })
})

describeWithRealData('importers on published files', (data) => {
  it.each([
    ['development', 3_839, 19_195],
    ['validation', 1_045, 5_225],
  ])('Clotho %s: %i clips, %i captions', async (split, clips, captions) => {
    const imported = await importClotho({
      captions: join(data, 'clotho', `clotho_captions_${split}.csv`),
      metadata: join(data, 'clotho', `clotho_metadata_${split}.csv`),
      audio: '/audio',
      split,
    })
    expect(imported).toHaveLength(clips)
    expect(imported.flatMap((clip) => clip.captions)).toHaveLength(captions)
    expect(imported.every((clip) => clip.license !== undefined && clip.author !== undefined)).toBe(true)
    const durations = imported.flatMap((clip) => clip.duration ?? [])
    expect(Math.min(...durations)).toBeGreaterThanOrEqual(15)
    expect(Math.max(...durations)).toBeLessThanOrEqual(30)
    const path = join(folder, `${split}.jsonl`)
    await writeManifest(path, imported)
    expect((await readManifest(path)).clips).toEqual(imported)
  })

  it('Clotho development and validation together: a shared file name does not clash, shared recordings are one group', async () => {
    const [development, validation] = await Promise.all(
      ['development', 'validation'].map((split) =>
        importClotho({
          captions: join(data, 'clotho', `clotho_captions_${split}.csv`),
          metadata: join(data, 'clotho', `clotho_metadata_${split}.csv`),
          audio: join('/audio', split),
          split,
        }),
      ),
    )
    const all = [...development!, ...validation!]
    expect(new Set(all.map((clip) => clip.id)).size).toBe(4_884)
    const groups = new Set(development!.map(groupOf))
    expect([...new Set(validation!.map(groupOf))].filter((group) => groups.has(group)).sort()).toEqual([
      'freesound/130603',
      'freesound/86163',
    ])
  })

  it('AudioCaps validation: 495 clips with 5 captions each', async () => {
    const captions = join(data, 'audiocaps', 'audiocaps_v1_val.csv')
    const clips = await importAudioCaps({ captions, audio: '/audio', split: 'validation' })
    expect(clips).toHaveLength(495)
    expect(clips.every((clip) => clip.captions.length === 5)).toBe(true)
  })

  it('a folder with a CSV: ESC-10', async () => {
    const clips = await importFolder(join(data, 'esc10', 'audio'), {
      captions: join(data, 'esc10', 'esc10.csv'),
      columns: { caption: null, split: 'fold', group: 'src_file', tags: 'category' },
    })
    expect(clips).toHaveLength(273)
    expect(new Set(clips.flatMap((clip) => clip.tags)).size).toBe(10)
  })
})
