import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
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
}

describe.skipIf(notBuilt !== null)(`sonotext align${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  it('gives the phrases of a text and where they are', async () => {
    const found = await cliJson<Found>(['align', run, clips[0]!.audio, 'a low hum, then a high whistle'])
    expect(found.phrases).toEqual(['a low hum', 'a high whistle'])
    for (const { phrase, onset, offset, confidence } of found.segments) {
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
    [['align', 'RUN', 'CLIP', 'rain', '--format', 'audacity'], /--out FILE/],
    [['align', 'RUN', 'CLIP', 'rain', '--out', 'x.docx'], /a file ending in/],
    [['moments', 'RUN', 'MANIFEST', 'rain'], /Expected a recording, got the manifest/],
    [['moments', 'RUN', 'CLIP'], /Give a query, or a file of queries/],
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
    expect(stdout).toBe('nothing that answers the query\n')
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
