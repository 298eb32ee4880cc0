import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AlignedSegment, type Moment, parseMomentLines, parseScoreLines } from '@sonotext/core/align'
import { readMono, writeWav } from '@sonotext/core/audio'
import { type Lock, takeLock } from '@sonotext/core/base'
import { type ClipInput, writeManifest } from '@sonotext/core/data'
import { tinyRun, writeToneClips } from '@sonotext/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, cliJson, notBuilt } from './testing/run-cli.js'

let folder: string
let run: string
let clips: ClipInput[]
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-align-'))
  const written = await writeToneClips(folder)
  ;({ clips } = written)
  const config = join(folder, 'run.json')
  await writeFile(config, JSON.stringify({ ...tinyRun, data: { manifest: written.manifest } }))
  run = join(folder, 'run')
  if (notBuilt === null)
    await cliJson(['train', '--config', config, '--run', run, '--set', 'training.epochs=10'])
})
afterAll(() => rm(folder, { recursive: true }))

interface Found {
  phrases: string[]
  segments: AlignedSegment[]
  thresholds: { recordings: number } | null
}

/** Twelve clips were trained on. */
const thresholds = 'thresholds from 12 recordings without labels'

describe.skipIf(notBuilt !== null)(`sonotext align${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  it('gives the phrases of a text and where they are', async () => {
    const found = await cliJson<Found>(['align', run, clips[0]!.audio, 'a low hum, then a high whistle'])
    expect(found.phrases).toEqual(['a low hum', 'a high whistle'])
    expect(found.thresholds).toEqual({ recordings: 12 })
    for (const { phrase, onset, offset, confidence } of found.segments) {
      // Times are no sums of frame steps: 0.30000000000000004.
      for (const seconds of [onset, offset]) expect(seconds).toBe(Number(seconds.toFixed(6)))
      expect(found.phrases).toContain(phrase)
      expect(offset).toBeGreaterThan(onset)
      expect(offset).toBeLessThanOrEqual(0.5)
      expect(confidence! >= 0 && confidence! <= 1).toBe(true)
    }
  })

  it('takes phrases, the id of a clip, and no thresholds', async () => {
    const found = await cliJson<Found>([
      ...['align', run, clips[0]!.id, '--no-calibrate', '--phrases', 'a low hum', 'a ticking clock'],
    ])
    expect(found.phrases).toEqual(['a low hum', 'a ticking clock'])
    expect(found.thresholds).toBeNull()
    for (const segment of found.segments) expect(segment).not.toHaveProperty('confidence')
  })

  it('writes labels for other programs, and a page', async () => {
    const [out, page] = [join(folder, 'labels.TextGrid'), join(folder, 'page.html')]
    await cliJson([
      'align',
      run,
      clips[0]!.audio,
      'a low hum',
      '--no-calibrate',
      '--out',
      out,
      '--page',
      page,
    ])
    const labels = await readFile(out, 'utf8')
    expect(labels).toContain('a low hum')
    // As long as the recording, not as its last segment.
    const { samples, sampleRate } = await readMono(clips[0]!.audio)
    expect(Number(/xmax = (\S+)/.exec(labels)![1])).toBeCloseTo(samples.length / sampleRate, 6)
    expect(await readFile(page, 'utf8')).toContain('<h1>a low hum</h1>')
  })

  it('says what is not there, and which words are not known', async () => {
    const { stdout, stderr, code } = await cli(['align', run, clips[0]!.audio, 'a zither'])
    expect(code).toBe(0)
    expect(stderr).toContain('the model does not know: zither')
    const { stdout: absent } = await cli(['align', run, clips[0]!.audio, 'zither'])
    expect(stdout + absent).toContain('not there: zither')
    expect(absent.trimEnd().split('\n').at(-1)).toBe(thresholds)
    const { stdout: bound } = await cli(['align', run, clips[0]!.audio, 'zither then zither', '--joint'])
    expect(bound).toContain('not there, or given up for the order: zither')
  })

  it('opens the recording before it looks for thresholds, and keeps these with the run', async () => {
    const lost = await cli(['align', run, join(folder, 'lost.wav'), 'hum'])
    expect([lost.code, lost.stderr]).toEqual([1, expect.stringContaining('lost.wav')])
    expect(lost.stderr).not.toContain('thresholds 12/12')
    // The same of many recordings, none of which is there.
    const gone = join(folder, 'gone.jsonl')
    await writeManifest(gone, [{ id: 'gone', audio: join(folder, 'lost.wav'), captions: ['a rising siren'] }])
    const asked = join(folder, 'asked.jsonl')
    await writeFile(asked, '{"qid":1,"query":"a rising siren","vid":"lost"}\n')
    for (const [command, file] of [
      ['align', gone],
      ['moments', asked],
    ] as const) {
      const { stderr } = await cli([command, run, file, '--out', join(folder, `${command}-gone.jsonl`)])
      expect(stderr).toContain('lost')
      expect(stderr).not.toContain('thresholds 12/12')
    }
    const call = ['align', run, clips[0]!.audio, '--phrases', 'hum', 'zither']
    const first = await cli(call)
    expect(first.stderr).toContain('thresholds 12/12')
    const kept = join(run, 'thresholds')
    const files = await readdir(kept)
    // As a process leaves it that is killed, where the disk is slow.
    for (const file of files) await appendFile(join(kept, file), '{"phrase":"hum","thres')
    const second = await cli(call)
    expect(second.stderr).not.toContain('thresholds 12/12')
    expect(second.stdout).toBe(first.stdout)
    // By other settings they are others.
    expect((await cli([...call, '--smooth', '0.2'])).stderr).toContain('thresholds 12/12')
    expect((await readdir(kept)).length).toBe(files.length + 1)
    // Where they cannot be kept they are found, and that is said.
    await rm(kept, { recursive: true })
    await writeFile(kept, 'no folder')
    const unkept = await cli(call)
    expect([unkept.code, unkept.stdout]).toEqual([0, first.stdout])
    expect(unkept.stderr).toContain('warning: thresholds are not kept')
    await rm(kept)
  })

  it('replaces segments by segments, and no file of something else', async () => {
    const notes = join(folder, 'notes.txt')
    await writeFile(notes, 'Buy bread.\n')
    const call = ['align', run, clips[0]!.audio, 'a low hum', '--no-calibrate']
    for (const option of ['--out', '--page']) {
      const { code, stderr } = await cli([...call, option, notes])
      expect([code, stderr]).toEqual([2, expect.stringMatching(/notes\.txt holds something other than/)])
    }
    expect(await readFile(notes, 'utf8')).toBe('Buy bread.\n')
    for (const name of ['again.txt', 'again.csv', 'again.json', 'again.html'])
      for (const phrase of ['zither', 'a low hum']) {
        const option = name.endsWith('.html') ? '--page' : '--out'
        const again = ['align', run, clips[0]!.audio, phrase, '--no-calibrate', option, join(folder, name)]
        expect((await cli(again)).code, name).toBe(0)
      }
  })

  it('finds nothing in silence and in a single frame, and answers for music', async () => {
    const chord = (t: number) =>
      [131, 262, 330, 392].reduce((sum, f) => sum + Math.sin(2 * Math.PI * f * t), 0)
    const sounds: Record<string, Float32Array> = {
      silence: new Float32Array(11_025),
      frame: Float32Array.from({ length: 32 }, (_, i) => 0.1 * Math.sin(i)),
      music: Float32Array.from({ length: 22_050 }, (_, i) => 0.1 * chord(i / 22_050)),
    }
    for (const [name, samples] of Object.entries(sounds)) {
      const audio = join(folder, `${name}.wav`)
      await writeWav(audio, samples, 22_050)
      const { segments } = await cliJson<Found>(['align', run, audio, '--phrases', 'a low hum', 'zither'])
      if (name !== 'music') expect(segments, name).toEqual([])
      for (const { phrase, onset, offset } of segments) {
        expect(phrase).toBe('a low hum')
        expect(onset >= 0 && offset > onset && offset <= 1).toBe(true)
      }
    }
  })

  it.each([
    [['align', 'RUN', 'CLIP'], /Give a text to align, or --phrases/],
    [['align', 'RUN', 'CLIP', 'rain', '--phrases', 'rain'], /not both/],
    [['align', 'RUN', 'CLIP', ''], /a caption with words/],
    [['align', 'RUN', 'MANIFEST'], /--out FILE\.jsonl/],
    [['align', 'RUN', 'MANIFEST', 'rain'], /their own captions/],
    [['align', 'RUN', 'MANIFEST', '--out', 'x.vtt'], /written as jsonl, not vtt/],
    [['align', 'RUN', 'missing.wav', 'rain'], /missing\.wav/],
    [['align', 'RUN', 'CLIP', 'rain', '--smooth', '1e9'], /Expected from 0 to 60 seconds/],
    [['align', 'RUN', 'CLIP', 'rain', '--margin', '-1'], /Expected from 0 to 600 seconds/],
    [['align', 'RUN', 'CLIP', 'rain', '--format', 'audacity'], /--out FILE/],
    [['align', 'RUN', 'CLIP', 'rain', '--out', 'x.docx'], /a file ending in/],
    [['moments', 'RUN', 'MANIFEST', 'rain'], /Expected a recording, got the manifest/],
    [['moments', 'RUN', 'CLIP'], /Give a query, or a file of queries/],
    [['moments', 'RUN', 'CLIP', 'rain', '--window', 'Infinity'], /Expected from 0\.1 to 3600 seconds/],
    [
      ['moments', 'RUN', 'CLIP', 'rain', '--min-length', '90'],
      /No moment lasts 90 s at least and 60 s at most/,
    ],
    [['moments', 'RUN', 'CLIP', 'rain', '--out', 'x.jsonl'], /belong to a file of queries/],
    [
      ['moments', 'RUN', 'MANIFEST', '--out', 'x.jsonl'],
      /clips\.jsonl:1: expected a string or number for qid/,
    ],
    [['moments', 'RUN', 'MANIFEST'], /Name a file for the answers/],
  ])('refuses %j', async (args, message) => {
    const names: Record<string, string> = {
      RUN: run,
      CLIP: clips[0]!.audio,
      MANIFEST: join(folder, 'clips.jsonl'),
    }
    const { code, stderr } = await cli(args.map((arg) => names[arg] ?? arg))
    expect(code).toBeGreaterThan(0)
    expect(stderr).toMatch(message)
  })

  it('aligns a manifest, goes on where it stopped, and does nothing twice', async () => {
    const manifest = join(folder, 'three.jsonl')
    const broken = join(folder, 'broken.wav')
    await writeFile(broken, 'no sound')
    await writeManifest(manifest, [
      ...clips.slice(0, 2),
      { id: 'bad', audio: broken, captions: ['a low hum', '!'] },
    ])
    const out = join(folder, 'found.jsonl')
    const call = ['align', run, manifest, '--out', out]
    const { code, stderr } = await cli(call)
    expect(code).toBe(1)
    expect(stderr).toMatch(/bad: .*broken\.wav/)
    const lines = (text: string) =>
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Found & { clip: string; caption: string })
    const whole = await readFile(out, 'utf8')
    expect(lines(whole).map(({ clip, caption }) => [clip, caption])).toEqual(
      clips.slice(0, 2).flatMap(({ id }) => [
        [id, `${id}#1`],
        [id, `${id}#2`],
      ]),
    )
    // Killed in the middle of a line.
    const cut = whole.slice(0, whole.indexOf('\n') + 20)
    await writeFile(out, cut)
    expect((await cli(call)).stderr).toContain('1 of 6 captions are in')
    expect(await readFile(out, 'utf8')).toBe(whole)
    // Another process has the file.
    const lock = await takeLock(`${out}.lock`)
    expect((await cli(call)).stderr).toMatch(/found\.jsonl is being written by process \d+/)
    expect(await readFile(out, 'utf8')).toBe(whole)
    ;(lock as Lock).release()
    const { stderr: other } = await cli([...call, '--threshold', '0.6'])
    expect(other).toMatch(/holds results of another model or other options/)
    await appendFile(out, 'something else\n')
    expect((await cli(call)).stderr).toMatch(/something other than results/)
  })
})

describe.skipIf(notBuilt !== null)('sonotext moments', () => {
  it('scores phrases in every clip of a manifest, for evaluate', async () => {
    const manifest = join(folder, 'two.jsonl')
    await writeManifest(manifest, clips.slice(0, 2))
    const out = join(folder, 'scores.jsonl')
    const call = [
      'align',
      run,
      manifest,
      '--phrases',
      'a low hum',
      'a high whistle',
      '--out',
      out,
      '--no-calibrate',
    ]
    expect((await cli(call)).code).toBe(0)
    const whole = await readFile(out, 'utf8')
    const lines = parseScoreLines(whole, out)
    expect(lines.map(({ recording, phrases }) => [recording, phrases])).toEqual(
      clips.slice(0, 2).map(({ id }) => [id, ['a low hum', 'a high whistle']]),
    )
    const { curves, duration } = lines[0]!
    const { scores, frameStep, start } = curves[0]!
    expect(start + scores.length * frameStep).toBeGreaterThanOrEqual(duration! - 1e-6)
    // Killed behind the first line.
    await writeFile(out, whole.slice(0, whole.indexOf('\n') + 9))
    expect((await cli(call)).stderr).toContain('1 of 2 clips are in')
    expect(await readFile(out, 'utf8')).toBe(whole)
    const truth = join(folder, 'truth.tsv')
    const evaluate = ['evaluate', '--task', 'alignment', '--truth', truth, '--predictions', out]
    const labels = (phrase: string) =>
      clips
        .slice(0, 2)
        .map(({ id }) => `${id}\t0\t1\t${phrase}\n`)
        .join('')
    await writeFile(truth, labels('a low hum'))
    const measured = await cli(evaluate)
    expect(measured).toMatchObject({ code: 0, stderr: '' })
    expect(measured.stdout).toContain('AUROC')
    await writeFile(truth, labels('hum'))
    expect((await cli(evaluate)).stderr).toContain('no phrase is in both: the truth has "hum"')
  })

  it('ranks parts of a recording', async () => {
    const long = join(folder, 'long.wav')
    const samples = Float32Array.from({ length: 8 * 22_050 }, (_, i) => {
      const t = i / 22_050
      return t > 4 && t < 6 ? 0.3 * Math.sin(2 * Math.PI * 2500 * t) : 1e-3 * Math.sin(i * i)
    })
    await writeWav(long, samples, 22_050)
    const { moments } = await cliJson<{ moments: Moment[] }>([
      'moments',
      run,
      long,
      'a high whistle',
      '-k',
      '2',
      '--no-calibrate',
    ])
    expect(moments.length).toBeGreaterThan(0)
    for (const { start, end } of moments) expect(start < end && end <= 8).toBe(true)
    const { stdout } = await cli(['moments', run, long, 'zither'])
    expect(stdout).toBe(`not there: zither\n${thresholds}\n`)
  })

  it('says that a query is not there in silence, gives ten parts unless asked otherwise, and ranks what there is', async () => {
    const silence = join(folder, 'silent.wav')
    await writeWav(silence, new Float32Array(4 * 22_050), 22_050)
    const call = ['moments', run, silence, 'a low hum']
    const { stdout, stderr } = await cli(call)
    expect(stdout).toBe(`not there: a low hum\n${thresholds}\n`)
    expect(stderr).toContain('--threshold 0 ranks')
    const none = await cliJson<{ moments: Moment[]; thresholds: unknown }>(call)
    expect(none).toMatchObject({ moments: [], thresholds: { recordings: 12 } })
    const pulses = join(folder, 'pulses.wav')
    const samples = Float32Array.from({ length: 40 * 22_050 }, (_, i) => {
      const t = i / 22_050
      return t % 2 > 1 ? 0.3 * Math.sin(2 * Math.PI * 100 * t) : 0
    })
    await writeWav(pulses, samples, 22_050)
    const all = [
      'moments',
      run,
      pulses,
      'a low hum',
      '--no-calibrate',
      '--threshold',
      '0',
      '--max-length',
      '2',
    ]
    expect((await cliJson<{ moments: Moment[] }>(all)).moments).toHaveLength(10)
  })

  it('answers a file of queries as QVHighlights has it, goes on where it stopped, and is measured', async () => {
    const queries = join(folder, 'queries.jsonl')
    const stem = (audio: string) => /([^/]+)\.wav$/.exec(audio)![1]!
    const lines = [
      {
        qid: 1,
        query: 'a high whistle',
        vid: stem(clips[1]!.audio),
        duration: 0.5,
        relevant_windows: [[0, 0.5]],
      },
      {
        qid: 'b',
        query: 'a low hum',
        vid: `${stem(clips[0]!.audio)}.wav`,
        duration: 0.5,
        relevant_windows: [[0, 0.5]],
      },
      { qid: 3, query: 'a low hum', vid: 'nowhere', relevant_windows: [] },
      { qid: 4, query: '?!', vid: stem(clips[0]!.audio), relevant_windows: [] },
    ]
    await writeFile(queries, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    const out = join(folder, 'answers.jsonl')
    const call = [
      'moments',
      run,
      queries,
      '--audio',
      join(folder, 'audio'),
      '--out',
      out,
      '--min-length',
      '0.1',
    ]
    const { code, stderr } = await cli(call)
    expect(code).toBe(1)
    expect(stderr).toMatch(/qid 3: .*nowhere/)
    expect(stderr).toMatch(/qid 4: .*with words/)
    const whole = await readFile(out, 'utf8')
    const answers = parseMomentLines(whole, out)
    expect(answers.map(({ qid, vid }) => [qid, vid])).toEqual([
      [1, lines[0]!.vid],
      ['b', lines[1]!.vid],
    ])
    for (const { found = [] } of answers) {
      expect(found.length).toBeGreaterThan(0)
      for (const { onset, offset } of found) expect(onset < offset && offset <= 0.5).toBe(true)
    }
    // Killed in the middle of a line.
    await writeFile(out, whole.slice(0, whole.indexOf('\n') + 9))
    expect((await cli(call)).stderr).toContain('1 of 4 queries are in')
    expect(await readFile(out, 'utf8')).toBe(whole)
    expect((await cli([...call, '--words', 'max'])).stderr).toMatch(/another model or other options/)
    const { stdout } = await cli(['evaluate', '--task', 'moments', '--truth', queries, '--predictions', out])
    expect(stdout).toMatch(/2 queries, 2 recordings/)
  })
})
