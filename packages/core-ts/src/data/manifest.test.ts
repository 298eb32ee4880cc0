import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type ClipInput,
  clipsOfSplit,
  groupOf,
  readClips,
  readManifest,
  splitsOf,
  writeManifest,
} from './manifest.js'

let folder: string
let count = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'manifest-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function file(contents: string | Uint8Array): Promise<string> {
  const path = join(folder, `${count++}.jsonl`)
  await writeFile(path, contents)
  return path
}

async function problem(contents: string | Uint8Array): Promise<string> {
  const path = await file(contents)
  const error = await readManifest(path).then(
    () => expect.unreachable('the manifest was accepted'),
    (reason: Error) => reason,
  )
  expect(error.name, String(error)).toBe('SonotextError')
  expect(error.message).toContain(path)
  return error.message.replace(folder, '')
}

const good =
  '{"id":"a","audio":"clips/a.wav","captions":["a dog barks",{"id":"x","text":"Rain.","tokens":["rain"]}]}'

describe('reading a manifest', () => {
  it('resolves audio beside the manifest and names captions', async () => {
    const path = await file(`${good}\n\n{"id":"b","audio":"/far/b.wav","split":"test","group":"g"}\n`)
    const manifest = await readManifest(path)
    expect(manifest.path).toBe(path)
    expect(manifest.clips).toEqual([
      {
        id: 'a',
        audio: join(folder, 'clips', 'a.wav'),
        captions: [
          { id: 'a#1', text: 'a dog barks' },
          { id: 'x', text: 'Rain.', tokens: ['rain'] },
        ],
      },
      { id: 'b', audio: resolve('/far/b.wav'), captions: [], split: 'test', group: 'g' },
    ])
    expect(manifest.clips.map(groupOf)).toEqual(['a', 'g'])
    expect(splitsOf(manifest.clips)).toEqual(['test'])
    expect(clipsOfSplit(manifest, 'test').map((clip) => clip.id)).toEqual(['b'])
    expect(() => clipsOfSplit(manifest, 'train')).toThrow(/"train".*The manifest has: test/)
  })

  it('accepts a byte order mark, CR LF and a missing last line end', async () => {
    const { clips } = await readManifest(await file(`\uFEFF${good}\r\n{"id":"é","audio":"b.wav"}`))
    expect(clips.map((clip) => clip.id)).toEqual(['a', 'é'])
  })

  it('reads in a stream: a problem on a late line comes after the clips before it', async () => {
    const path = await file(`${good}\n{"id":1}\n`)
    const seen: string[] = []
    await expect(async () => {
      for await (const clip of readClips(path)) seen.push(clip.id)
    }).rejects.toThrow(`${path}:2`)
    expect(seen).toEqual(['a'])
  })

  it('stops when the signal fires', async () => {
    const path = await file(good)
    await expect(readManifest(path, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    })
  })
})

function manyGood(): string {
  return ['a', 'b', 'ü'].map((id) => `{"id":"${id}","audio":"${id}.wav"}\n`).join('')
}

it.each([
  ['a byte order mark', `\uFEFF${manyGood()}`],
  ['UTF-16', Buffer.from(`\uFEFF${manyGood()}`, 'utf16le')],
  ['UTF-16 BE without a mark', Buffer.from(manyGood(), 'utf16le').swap16()],
  ['CR as line end', manyGood().replaceAll('\n', '\r')],
  ['mixed line ends', manyGood().replace('\n', '\r\n')],
])('a manifest with %s is read', async (_name, contents) => {
  const read = await readManifest(await file(contents))
  expect(read.clips.map(({ id }) => id)).toEqual(['a', 'b', 'ü'])
})

describe('a bad manifest is refused with file, line and remedy', () => {
  it.each([
    [
      'unknown field',
      `${good}\n{"id":"b","audio":"b","captoins":[]}`,
      /:2: unknown field "captoins"\. Did you mean "captions"\?/,
    ],
    [
      'name used elsewhere',
      '{"id":"b","file_name":"b.wav"}',
      /:1: unknown field "file_name"\. Did you mean "audio"\?/,
    ],
    [
      'unknown field, nothing near',
      '{"id":"b","audio":"b","zzz":1}',
      /"zzz"\. Known fields: id, audio.*"extra"/,
    ],
    [
      'unknown field of a caption',
      '{"id":"b","audio":"b","captions":[{"text":"t","token":[]}]}',
      /"token" in captions\[0\].*"tokens"/,
    ],
    [
      'unknown field of an event',
      '{"id":"b","audio":"b","events":[{"label":"x","onset":0,"end":1}]}',
      /"end" in events\[0\].*"offset"/,
    ],
    ['missing field', '{"id":"b"}', /:1: the field "audio" is missing/],
    ['wrong type', '{"id":7,"audio":"b"}', /expected a string for id, got 7/],
    [
      'captions no list',
      '{"id":"b","audio":"b","captions":"a dog"}',
      /expected an array for captions, got "a dog"/,
    ],
    [
      'caption no text',
      '{"id":"b","audio":"b","captions":[3]}',
      /expected a text or an object with "text" for captions\[0\], got 3/,
    ],
    [
      'caption object without text',
      '{"id":"b","audio":"b","captions":[{"id":"c"}]}',
      /"text" is missing in captions\[0\]/,
    ],
    ['empty id', '{"id":"","audio":"b"}', /id is empty/],
    ['negative duration', '{"id":"b","audio":"b","duration":0}', /expected duration to be > 0, got 0/],
    [
      'fraction of a sample rate',
      '{"id":"b","audio":"b","sampleRate":0.5}',
      /expected an integer for sampleRate, got 0.5/,
    ],
    [
      'negative onset',
      '{"id":"b","audio":"b","events":[{"label":"x","onset":-1,"offset":1}]}',
      /events\[0\]\.onset to be >= 0, got -1/,
    ],
    [
      'second clip of one id',
      `${good}\n{"id":"a","audio":"b"}`,
      /:2: the clip id "a" occurs a second time; the first is on line 1/,
    ],
    [
      'second caption of one id',
      `${good}\n{"id":"b","audio":"b","captions":[{"id":"a#1","text":"t"}]}`,
      /:2: the caption id "a#1"/,
    ],
    ['a line that is an array', '[{"id":"a"}]', /:1: expected an object, got an array\..*JSON object a line/],
    ['a CSV', 'file_name,caption_1\na.wav,x', /:1: the line is not JSON.*Importers turn CSV/],
    ['JSON over several lines', '{\n"id":"a"}', /:1: .*on one line of its own/],
    ['cut short', `${good}\n{"id":"b","aud`, /:2: .*cut short/],
    ['a bad line in the middle', `{"id":\n${good}\n`, /:1: .*Correct the line/],
    ['nothing', '\n\n', /holds no clip/],
    ['a control character', good.replace('{', '{\x00'), /:1: .*U\+0000 in line 1, column 2/],
    [
      'Latin-1',
      Buffer.from(`${good}\n{"id":"é","audio":"b"}`, 'latin1'),
      /:2: .*line 2 is not.*ISO-8859-1.*iconv/,
    ],
  ])('%s', async (_name, contents, message) => {
    expect(await problem(contents)).toMatch(message)
  })

  it('a missing file, and a folder', async () => {
    await expect(readManifest(join(folder, 'none.jsonl'))).rejects.toMatchObject({ code: 'MISSING_FILE' })
    await expect(readManifest(folder)).rejects.toMatchObject({ code: 'INVALID_FILE' })
  })
})

describe('writing a manifest', () => {
  it('is the inverse of reading', async () => {
    const text = fc.string({ unit: 'grapheme' })
    const name = fc.string({ unit: 'grapheme', minLength: 1 })
    const seconds = fc.double({ min: 0.001, max: 1e6, noNaN: true })
    const caption = fc.oneof(
      text,
      fc.record({ id: name, text, tokens: fc.array(name) }, { requiredKeys: ['text'] }),
    )
    const event = fc.record(
      { label: name, onset: seconds, offset: seconds, level: seconds.map((x) => -x), source: name },
      { requiredKeys: ['label', 'onset', 'offset'] },
    )
    const clip = fc.record(
      {
        id: name,
        audio: fc.stringMatching(/^[a-z é/]{1,9}\.wav$/).map((path) => join(folder, 'audio', path)),
        captions: fc.array(caption, { maxLength: 4 }),
        split: name,
        group: name,
        events: fc.array(event, { maxLength: 3 }),
        duration: seconds,
        sampleRate: fc.integer({ min: 1 }),
        tags: fc.array(text),
        source: text,
        author: text,
        license: text,
        extra: fc.dictionary(name, fc.oneof(text, fc.boolean(), fc.integer())),
      },
      { requiredKeys: ['id', 'audio', 'captions'] },
    )
    const distinct = fc.uniqueArray(clip, { selector: (c) => c.id, maxLength: 5 }).filter((clips) => {
      const ids = clips.flatMap((c) =>
        c.captions.map((x, i) => (typeof x === 'string' ? undefined : x.id) ?? `${c.id}#${i + 1}`),
      )
      return clips.length > 0 && new Set(ids).size === ids.length
    })
    await fc.assert(
      fc.asyncProperty(distinct, async (clips) => {
        const path = join(folder, 'round.jsonl')
        await writeManifest(path, clips as ClipInput[])
        const read = (await readManifest(path)).clips
        expect(read).toEqual(
          clips.map((c) => ({
            ...c,
            captions: c.captions.map((x, i) => ({
              id: `${c.id}#${i + 1}`,
              ...(typeof x === 'string' ? { text: x } : x),
            })),
          })),
        )
        const bytes = await readFile(path)
        await writeManifest(path, read)
        expect(await readFile(path)).toEqual(bytes)
      }),
      { numRuns: 60 },
    )
  })

  it('keeps audio paths relative, so that the folder can move', async () => {
    const path = join(folder, 'moved', 'm.jsonl')
    await writeManifest(path, [
      { id: 'a', audio: join(folder, 'moved', 'audio', 'a.wav') },
      { id: 'b', audio: join(folder, 'b.wav') },
    ])
    const lines = (await readFile(path, 'utf8')).trim().split('\n')
    expect(lines.map((line) => JSON.parse(line).audio)).toEqual(['audio/a.wav', '../b.wav'])
  })

  it('writes more clips than one block', async () => {
    const path = join(folder, 'many.jsonl')
    const clips = Array.from({ length: 9001 }, (_, i) => ({
      id: `c${i}`,
      audio: join(folder, `${i}.wav`),
      captions: ['x'],
    }))
    await writeManifest(path, clips)
    const read = await readManifest(path)
    expect(read.clips.map((clip) => clip.id)).toEqual(clips.map((clip) => clip.id))
  })

  it('refuses what could not be read again, and leaves the old file as it was', async () => {
    const path = await file(good)
    const clip = { id: 'a', audio: join(folder, 'a.wav') }
    await expect(writeManifest(path, [clip, clip])).rejects.toThrow(/clip id "a" occurs a second time/)
    await expect(writeManifest(path, [{ ...clip, duration: Number.NaN }])).rejects.toThrow(
      /clip 1 \("a"\).*duration.*NaN/,
    )
    await expect(writeManifest(path, [{ ...clip, captoins: [] } as never])).rejects.toThrow(/"captions"/)
    expect(await readFile(path, 'utf8')).toBe(good)
  })
})
