import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { missing } from '../../../../tools/program.mjs'
import { decodeText } from '../base/index.js'
import { readSegments, segmentFormat, segmentFormatOf, segmentFormats, writeSegments } from './formats.js'
import { type LabelledSegment, oneLine, type RecordingSegments } from './recording-segments.js'
import { tiersOf } from './tiers.js'

const folder = mkdtempSync(join(tmpdir(), 'segments-'))
afterAll(() => rmSync(folder, { recursive: true }))

const awkward = [
  'a "dog" barks',
  "it's raining",
  'line\nend',
  'tab\there',
  'x --> y',
  '<b>&amp;</b> & <!-- ]]>',
  'ö 雨 🐕 ﷺ',
  '  blanks  ',
  '; , | \\',
  '"',
  '""',
  'NOTE',
  'WEBVTT',
  '=1+1',
  '!',
  '<exists>',
  '12.5',
  'new\r\nline',
]

const phrase = fc
  .oneof(
    fc.constantFrom(...awkward),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
    fc.string({ unit: 'binary', maxLength: 6 }),
  )
  .filter((text) => oneLine(text) !== '')
const segment = fc
  .record(
    {
      phrase,
      // As they come: not on any grid.
      onset: fc.double({ min: 0, max: 4000, noNaN: true }).map((onset) => Math.abs(onset)),
      length: fc.double({ min: 0.002, max: 100, noNaN: true }),
      score: fc.double({ min: -1, max: 1, noNaN: true }).map((score) => score + 0),
      confidence: fc.double({ min: 0, max: 1, noNaN: true }),
    },
    { requiredKeys: ['phrase', 'onset', 'length'] },
  )
  .map(({ length, onset, ...rest }): LabelledSegment => ({ ...rest, onset, offset: onset + length }))
const recording = fc.record(
  {
    recording: fc.constantFrom('clip.wav', '/a folder/ü#1?.wav', 'sub/x y.flac'),
    duration: fc.double({ min: 4100, max: 5000, noNaN: true }),
    text: phrase,
    phrases: fc.array(phrase, { maxLength: 3 }),
    segments: fc.array(segment, { maxLength: 8 }),
  },
  { requiredKeys: ['recording', 'segments'] },
)

/** What is read of a file with these bytes. */
function readBack(
  name: string,
  text: string,
  file = `/x/clip${segmentFormat(name).extension}`,
): RecordingSegments[] {
  return segmentFormat(name).read(decodeText(Buffer.from(text), file), file)
}

describe('what is written is read back', () => {
  it.each(['json', 'jsonl'])('%s: everything', (name) => {
    fc.assert(
      fc.property(fc.array(recording, { minLength: 1, maxLength: 3 }), (recordings) => {
        expect(readBack(name, segmentFormat(name).write(recordings))).toEqual(recordings)
      }),
      { seed: 1 },
    )
  })

  it('jams: everything', () => {
    fc.assert(
      fc.property(recording, (one) => {
        expect(readBack('jams', segmentFormat('jams').write([one]))).toEqual([one])
      }),
      { seed: 2 },
    )
  })

  it('csv: every segment, but for control characters', () => {
    fc.assert(
      fc.property(recording, ({ recording: name, segments }) => {
        const [got] = readBack('csv', segmentFormat('csv').write([{ recording: name, segments }]))
        const plain = (text: string): string =>
          text
            .toWellFormed()
            .replace(/\r\n?/g, '\n')
            .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, ' ')
        expect(got?.segments ?? []).toEqual(segments.map((one) => ({ ...one, phrase: plain(one.phrase) })))
      }),
      { seed: 3 },
    )
  })

  /** Seconds that a format rounds to. */
  const units = { 'strong-labels': 1e-6, vtt: 1e-3, audacity: 1e-6, textgrid: 1e-12, eaf: 1e-3 }
  it.each(Object.entries(units))('%s: labels of one line, times to %d s', (name, unit) => {
    fc.assert(
      fc.property(recording, (one) => {
        const [got] = readBack(name, segmentFormat(name).write([one])) as [RecordingSegments]
        // Order is by time in some and by phrase in others.
        const key = ({ phrase: label, onset }: LabelledSegment): string =>
          `${oneLine(label)} ${Math.round(onset / unit)}`
        const want = new Map(Map.groupBy(one.segments, key))
        const found = new Map(Map.groupBy(got.segments, key))
        expect([...found.keys()].sort()).toEqual([...want.keys()].sort())
        for (const [at, segments] of found) {
          const offsets = (some: readonly LabelledSegment[]) =>
            some.map(({ offset }) => offset).sort((x, y) => x - y)
          const wanted = offsets(want.get(at)!)
          for (const [i, offset] of offsets(segments).entries())
            expect(Math.abs(offset - wanted[i]!)).toBeLessThanOrEqual(1.01 * unit)
        }
        if (name === 'eaf') expect(got.recording).toBe(one.recording)
      }),
      { seed: 4 },
    )
  })

  it('a phrase shorter than a unit keeps one', () => {
    const one = { recording: 'x', segments: [{ phrase: 'click', onset: 1.00049, offset: 1.00051 - 0.00001 }] }
    for (const name of Object.keys(units)) {
      const [{ segments }] = readBack(name, segmentFormat(name).write([one])) as [RecordingSegments]
      expect(segments[0]!.offset, name).toBeGreaterThan(segments[0]!.onset)
    }
  })

  it('a recording in which nothing is heard', () => {
    for (const { name, write } of segmentFormats) {
      const back = readBack(name, write([{ recording: 'clip', segments: [] }]))
      if (name !== 'csv') expect(back, name).toMatchObject([{ recording: 'clip', segments: [] }])
    }
  })

  it('strong labels of several recordings, silent ones too', () => {
    const recordings = [
      { recording: 'a.wav', segments: [{ phrase: 'Dog', onset: 0, offset: 1.5 }] },
      { recording: 'b.wav', segments: [] },
    ]
    expect(readBack('strong-labels', segmentFormat('strong-labels').write(recordings))).toEqual(recordings)
  })
})

it('tiers hold no overlap and lose nothing', () => {
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 12 }), (segments) => {
      const tiers = tiersOf(segments)
      expect(new Set(tiers.map(({ name }) => name)).size).toBe(tiers.length)
      for (const { segments: own } of tiers)
        for (let i = 1; i < own.length; i++) expect(own[i]!.onset).toBeGreaterThanOrEqual(own[i - 1]!.offset)
      expect(tiers.reduce((sum, { segments: own }) => sum + own.length, 0)).toBe(segments.length)
    }),
  )
})

const everything: RecordingSegments = {
  recording: 'clip & co.wav',
  duration: 60,
  segments: awkward.flatMap((label, i) => [
    { phrase: label, onset: i, offset: i + 0.75 },
    { phrase: label, onset: i + 0.5, offset: i + 2.25 },
  ]),
}

describe('read by the programs they are for', () => {
  const skip = (program: string): [string, boolean] => {
    const reason = missing(program)
    return [reason === null ? program : `${program} (${reason})`, reason !== null]
  }
  const run = (program: string, ...args: string[]) =>
    spawnSync(program, args, { cwd: folder, encoding: 'utf8' })

  const [ffmpeg, noFfmpeg] = skip('ffmpeg')
  it.skipIf(noFfmpeg)(`WebVTT by ${ffmpeg}`, () => {
    writeFileSync(join(folder, 'a.vtt'), segmentFormat('vtt').write([everything]))
    const own = readBack('vtt', segmentFormat('vtt').write([everything]))[0]!.segments
    const copied = run('ffmpeg', '-v', 'error', '-i', 'a.vtt', '-c', 'copy', '-f', 'webvtt', '-')
    expect([copied.stderr, copied.status]).toEqual(['', 0])
    expect(readBack('vtt', copied.stdout)[0]!.segments).toEqual(own)
    expect(own).toHaveLength(everything.segments.length)
    // Decoded: the text as a player shows it.
    const { stdout } = run('ffmpeg', '-v', 'error', '-i', 'a.vtt', '-f', 'ass', '-')
    const shown = [...stdout.matchAll(/^Dialogue: (?:[^,]*,){9}(.*?)\r?$/gm)].map(([, text]) => text!)
    expect(shown).toHaveLength(own.length)
    for (const [i, { phrase: label }] of own.entries())
      if (!label.includes('\\')) expect(shown[i]).toBe(label)
  })

  const [praat, noPraat] = skip('praat')
  it.skipIf(noPraat)(`TextGrid by ${praat}`, () => {
    const files: Record<string, RecordingSegments> = {
      full: everything,
      empty: { recording: 'x', segments: [] },
    }
    for (const [name, one] of Object.entries(files)) {
      writeFileSync(join(folder, `${name}.TextGrid`), segmentFormat('textgrid').write([one]))
      // Saved again by Praat, in its long form and in its short one.
      const script = [
        'Text writing preferences: "UTF-8"',
        `Read from file: "${join(folder, `${name}.TextGrid`)}"`,
        'duration = Get total duration',
        'writeInfoLine: duration',
        `Save as text file: "${join(folder, `${name}-long.TextGrid`)}"`,
        `Save as short text file: "${join(folder, `${name}-short.TextGrid`)}"`,
      ]
      writeFileSync(join(folder, 'resave.praat'), script.join('\n'))
      const { stdout, stderr, status } = run('praat', '--run', 'resave.praat')
      expect([stderr, status, Number(stdout)]).toEqual(['', 0, one.duration ?? 1])
      const [own] = readBack('textgrid', segmentFormat('textgrid').write([one])) as [RecordingSegments]
      for (const form of ['long', 'short']) {
        const path = join(folder, `${name}-${form}.TextGrid`)
        const text = readFile(path)
        expect(segmentFormat('textgrid').read(text, path)[0]!.segments, form).toEqual(own.segments)
      }
    }
  })

  const [xmllint, noXmllint] = skip('xmllint')
  it.skipIf(noXmllint)(`ELAN's XML by ${xmllint}`, () => {
    writeFileSync(join(folder, 'a.eaf'), segmentFormat('eaf').write([everything]))
    const { stdout, stderr, status } = run('xmllint', '--xpath', 'count(//ANNOTATION_VALUE)', 'a.eaf')
    expect([stderr, status, Number(stdout)]).toEqual(['', 0, everything.segments.length])
    const values = run(
      'xmllint',
      '--xpath',
      'string((//ANNOTATION_VALUE)[.="<b>&amp;</b> & <!-- ]]>"])',
      'a.eaf',
    )
    expect(values.stdout.trim()).toBe('<b>&amp;</b> & <!-- ]]>')
  })

  // The schema is ELAN's and is not part of this project.
  const schema = process.env.SONOTEXT_EAF_SCHEMA ?? ''
  const reason =
    schema === '' ? ' (SONOTEXT_EAF_SCHEMA names no file: EAFv2.7.xsd of ELAN, or a later one)' : ''
  it.skipIf(noXmllint || schema === '')(`ELAN annotations fit the published schema${reason}`, () => {
    expect(existsSync(schema)).toBe(true)
    for (const one of [everything, { recording: '/a b/ü.wav', segments: [] }]) {
      writeFileSync(join(folder, 'b.eaf'), segmentFormat('eaf').write([one]))
      const { stderr, status } = run('xmllint', '--noout', '--schema', schema, 'b.eaf')
      expect([stderr.trim(), status]).toEqual(['b.eaf validates', 0])
    }
    writeFileSync(
      join(folder, 'c.eaf'),
      segmentFormat('eaf').write([everything]).replace('TIME_SLOT_REF2', 'TIME'),
    )
    expect(run('xmllint', '--noout', '--schema', schema, 'c.eaf').status).not.toBe(0)
  })
})

function readFile(path: string): string {
  return decodeText(readFileSync(path), path)
}

describe('what other programs write', () => {
  it('WebVTT with identifiers, notes, tags and settings', () => {
    const text =
      'WEBVTT - a title\n\nNOTE\nnot a cue\n\nSTYLE\n::cue { color: red }\n\n1\n00:01.500 --> 00:02.000 align:start\n<v Ann>a <b>dog</b>\nbarks &lt;3&nbsp;\n'
    expect(readBack('vtt', text)[0]!.segments).toEqual([{ phrase: 'a dog barks <3', onset: 1.5, offset: 2 }])
  })

  it('Audacity labels with frequencies', () => {
    expect(readBack('audacity', '1.5\t2.5\tdog\n\\\t100.0\t200.0\n3\t4\t\n')[0]!.segments).toEqual([
      { phrase: 'dog', onset: 1.5, offset: 2.5 },
      { phrase: '', onset: 3, offset: 4 },
    ])
  })

  it('ELAN with CDATA, references and slots without a time that nothing uses', () => {
    const text = `<?xml version="1.0"?><!-- x --><ANNOTATION_DOCUMENT><HEADER/><TIME_ORDER><TIME_SLOT TIME_SLOT_ID='a' TIME_VALUE="1000"/><TIME_SLOT TIME_SLOT_ID="b" TIME_VALUE="2500"/><TIME_SLOT TIME_SLOT_ID="c"/></TIME_ORDER>
<TIER TIER_ID="t"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="a" TIME_SLOT_REF2="b"><ANNOTATION_VALUE>a <![CDATA[<dog>]]> &#228;&#x1F415;</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
<TIER TIER_ID="u"><ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a2" ANNOTATION_REF="a1"><ANNOTATION_VALUE>ein Hund</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>`
    expect(readBack('eaf', text)).toEqual([
      { recording: 'clip', segments: [{ phrase: 'a <dog> ä🐕', onset: 1, offset: 2.5 }] },
    ])
  })

  it('JAMS of scaper and in columns', () => {
    const scaper = {
      annotations: [
        { namespace: 'scaper', data: [{ time: 1, duration: 2, value: { label: 'siren' }, confidence: 1 }] },
        { namespace: 'beat', data: [{ time: 1 }] },
      ],
      file_metadata: { duration: 10 },
    }
    expect(readBack('jams', JSON.stringify(scaper))).toEqual([
      {
        recording: 'clip',
        duration: 10,
        segments: [{ phrase: 'siren', onset: 1, offset: 3, confidence: 1 }],
      },
    ])
    const columns = {
      annotations: [
        { namespace: 'tag_open', data: { time: [0.5], duration: [1], value: ['dog'], confidence: [null] } },
      ],
      file_metadata: { title: 'x' },
    }
    expect(readBack('jams', JSON.stringify(columns))).toEqual([
      { recording: 'x', segments: [{ phrase: 'dog', onset: 0.5, offset: 1.5 }] },
    ])
  })

  it('strong labels of AudioSet, and lists without a header', () => {
    expect(
      readBack(
        'strong-labels',
        'segment_id\tstart_time_seconds\tend_time_seconds\tlabel\nabc_3000\t0.1\t2\t/m/09x0r\n',
      ),
    ).toEqual([{ recording: 'abc_3000', segments: [{ phrase: '/m/09x0r', onset: 0.1, offset: 2 }] }])
    const want = [{ phrase: 'car', onset: 0.25, offset: 2 }]
    expect(readBack('strong-labels', 'a.wav\tstreet\t0.25\t2\tcar\n')).toEqual([
      { recording: 'a.wav', segments: want },
    ])
    expect(readBack('strong-labels', 'a.wav\t0.25\t2\tcar\n')).toEqual([
      { recording: 'a.wav', segments: want },
    ])
    expect(readBack('strong-labels', '0.25\t2\tcar\n')).toEqual([{ recording: 'clip', segments: want }])
  })
})

it('events of no length, of which published strong labels hold some, are counted and left out', () => {
  const text = 'a.wav\t1\t2\tcar\na.wav\t3.5\t3.5\tdog\nb.wav\t0\t1\tcar\n'
  const car = (onset: number, offset: number) => ({ phrase: 'car', onset, offset })
  expect(segmentFormat('strong-labels').read(text.replaceAll('.wav', ''), 'x.tsv')).toEqual([
    { recording: 'a', segments: [car(1, 2)], withoutLength: 1 },
    { recording: 'b', segments: [car(0, 1)] },
  ])
})

describe('what is refused', () => {
  const bad: [name: string, text: string, message: RegExp][] = [
    ['json', '{"audio": "a"', /clip\.json: not JSON/],
    ['json', '{"segments": []}', /entry 1: expected a string for audio or clip, got undefined/],
    [
      'jsonl',
      '{"audio":"a","segments":[]}\n{"audio":"b","segments":[{"phrase":"x","onset":2,"offset":1}]}\n',
      /clip\.jsonl:2: expected 0 ≤ onset < offset in seconds, got 2 and 1/,
    ],
    ['csv', 'audio,phrase,onset\n', /missing: offset/],
    ['csv', 'audio,phrase,onset,offset\na,b,x,1\n', /clip\.csv:2: expected a number for onset, got "x"/],
    ['strong-labels', '', /expected strong labels, got an empty file/],
    [
      'strong-labels',
      'a.wav,0,1,car\n',
      /clip\.tsv:1: expected filename, onset, offset and event_label between tabs, got 1 cells/,
    ],
    [
      'strong-labels',
      'filename\tonset\toffset\tevent_label\na\t1\t\tx\n',
      /clip\.tsv:2: expected seconds, got ""/,
    ],
    ['vtt', '1\n', /clip\.vtt:1: expected WEBVTT/],
    ['vtt', 'WEBVTT\n\n00:01 --> 00:02\nx\n', /clip\.vtt:3: expected HH:MM:SS\.mmm/],
    ['vtt', 'WEBVTT\n\n00:02.000 --> 00:01.000\nx\n', /clip\.vtt:3: expected 0 ≤ onset < offset/],
    ['audacity', '1,5\t2,5\tdog\n', /clip\.txt:1: .*a point as the decimal mark/],
    ['audacity', '1.5\t1.5\tpoint\n', /clip\.txt:1: expected 0 ≤ onset < offset/],
    [
      'textgrid',
      '"ooTextFile" "TextGrid" 0 1 <exists> 1 "IntervalTier" "t" 0 1 1000000000',
      /clip\.TextGrid:1: expected a count of at most 0/,
    ],
    [
      'textgrid',
      'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0 xmax = 1 <exists> 1 "IntervalTier" "t',
      /clip\.TextGrid:4: expected a string that ends/,
    ],
    ['textgrid', 'File type = "ooTextFile"\n"Sound"', /clip\.TextGrid:2: expected "TextGrid", got "Sound"/],
    [
      'eaf',
      '<!DOCTYPE x [<!ENTITY a "b">]><ANNOTATION_DOCUMENT/>',
      /clip\.eaf:1: .*a document type is not read/,
    ],
    ['eaf', '<a>\n<b></a>', /clip\.eaf:2: .*<\/a> ends nothing/],
    ['eaf', '<svg/>', /expected ANNOTATION_DOCUMENT, got svg/],
    ['eaf', '<ANNOTATION_DOCUMENT>&bomb;</ANNOTATION_DOCUMENT>', /the entity &bomb; is not known/],
    [
      'eaf',
      '<ANNOTATION_DOCUMENT><ALIGNABLE_ANNOTATION TIME_SLOT_REF1="q"><ANNOTATION_VALUE>x</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION_DOCUMENT>',
      /refers to a time that is not there/,
    ],
    ['jams', '[]', /expected an object with a list of annotations/],
    [
      'jams',
      '{"annotations":[{"namespace":"segment_open","data":[{"time":"0"}]}]}',
      /observation 1: expected numbers/,
    ],
  ]
  it.each(bad)('%s: %j', (name, text, message) => {
    expect(() => readBack(name, text)).toThrow(
      expect.objectContaining({
        code: 'INVALID_FILE',
        message: expect.stringMatching(message) as string,
      }) as Error,
    )
  })

  it('times that are none and several recordings where one fits, when writing', () => {
    for (const { name, several, write } of segmentFormats) {
      const backwards = { recording: 'a', segments: [{ phrase: 'x', onset: 2, offset: Number.NaN }] }
      expect(() => write([backwards]), name).toThrow(/Expected 0 ≤ onset < offset in seconds for "x" in "a"/)
      const two = [everything, everything]
      if (several) expect(write(two), name).toContain('clip & co.wav')
      else expect(() => write(two), name).toThrow(/holds one recording, got 2/)
    }
  })

  it('names and endings that say no format', async () => {
    expect(() => segmentFormat('textgird')).toThrow(/Did you mean "textgrid"/)
    expect(() => segmentFormatOf('a.doc')).toThrow(/\.TextGrid \(textgrid\)/)
    expect(segmentFormatOf('A.TEXTGRID').name).toBe('textgrid')
    for (const name of ['none.csv', 'none.doc'])
      await expect(readSegments(join(folder, name))).rejects.toMatchObject({ code: 'MISSING_FILE' })
    const path = join(folder, 'deep/a.csv')
    await writeSegments(path, [{ recording: 'a', segments: [] }])
    await expect(readSegments(path)).rejects.toThrow(/expected segments of a recording, got none/)
    await writeSegments(path, [everything])
    expect((await readSegments(path))[0]!.segments).toHaveLength(everything.segments.length)
  })
})
