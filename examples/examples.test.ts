import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blocksOf } from './guide-blocks.js'

const here = fileURLToPath(new URL('.', import.meta.url))
const built = existsSync(join(here, '../packages/core-ts/dist/index.js'))
const reason = built ? '' : ' (the TypeScript is not built: npm run setup)'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-examples-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** What a program prints; the examples run one after the other in one folder, as their comments say. */
function output(name: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(here, name), '--try'], {
    cwd: folder,
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return stdout
}

/** What each example must print to be worth its place. */
const checks: Record<string, (printed: string) => void> = {
  'quickstart.mjs'(printed) {
    const losses = [...printed.matchAll(/^epoch \d+ ([\d.]+)$/gm)].map(([, loss]) => Number(loss))
    expect(losses).toHaveLength(8)
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 1.5)
    const [value, chance] = [...printed.matchAll(/'mAP@10': ([\d.]+)/g)].map(([, x]) => Number(x))
    expect(chance).toBeCloseTo(0.0732, 4)
    expect(value).toBeGreaterThan(3 * chance!)
    expect(printed).toMatch(/^1 [\d.]+ .+\n2 [\d.]+ .+\n3 [\d.]+ .+\n$/m)
  },
  'search-service.mjs'(printed) {
    expect(printed).toMatch(/^rain falls \[( '(train|test)-\d+ [\d.]+',?){3} \]$/m)
    expect(printed).toMatch(/^somebody laughs \[/m)
  },
  'http-search.mjs'(printed) {
    const [listening, found, refused, elsewhere] = printed.trim().split('\n')
    expect(listening).toMatch(/^240 clips at http:\/\/127\.0\.0\.1:\d+\/search\?q=rain\+falls$/)
    const hits = JSON.parse(found!.replace(/^200 /, '')) as { clip: string; score: number; caption: string }[]
    expect(hits).toHaveLength(3)
    expect(hits[0]!.caption).toMatch(/rain/)
    expect(refused).toMatch(/^400 .*Expected \?q=WORDS/)
    expect(elsewhere).toMatch(/^404 /)
  },
  'plugin.mjs'(printed) {
    expect(printed).toMatch(/^104 steps with mean-linear over loudness$/m)
    const [, top, recall] = /^top ([\d.]+) R@1 ([\d.]+)$/m.exec(printed)!
    expect(Number(top)).toBe(Number(recall))
  },
  'features.mjs'(printed) {
    // 440 Hz lies in the ninth of 64 Slaney bands from 12 Hz to 8 kHz.
    expect(printed).toBe('51 frames of 64 bands; the loudest is 8\n')
  },
  'search-folder.mjs'(printed) {
    const [, first] = /^rain falls – (\S+\.wav) [\d.]+, \S+\.wav [\d.]+, \S+\.wav [\d.]+\n$/.exec(printed)!
    const manifest = readFileSync(join(folder, 'scenes/manifest.jsonl'), 'utf8').split('\n')
    expect(manifest.find((line) => line.includes(basename(first!)))).toContain('rain')
  },
  'hard-negatives.mjs'(printed) {
    const [whole, ...batch] = printed.trim().split('\n')
    const [own, list] = whole!.split(' – ')
    // One of the two sounds is right, and no caption says the same.
    for (const text of list!.split(' · ')) expect(text).toMatch(/dog/)
    expect(list!.split(' · ')).not.toContain(own)
    expect(batch.map((line) => line.split(' ')[0])).toEqual(['hard', 'semi-hard', 'random'])
    const lines = readFileSync(join(folder, 'negatives.csv'), 'utf8').trim().split('\n')
    expect(lines).toHaveLength(301)
    expect(new Set(lines.map((line) => line.split(',').length))).toEqual(new Set([4]))
  },
  'loss-gradient.mjs'(printed) {
    const steps = [...printed.matchAll(/^\S+ ([\d.]+) a step along the gradient: ([\d.]+)$/gm)]
    expect(steps).toHaveLength(2)
    for (const [, before, after] of steps) expect(Number(after)).toBeLessThan(Number(before))
  },
  'grade-captions.mjs'(printed) {
    expect(printed).toContain('12 pairs; a dog for "a dog barks": 0.95\n')
    const grade = (pair: string): number => Number(new RegExp(`^${pair} ([\\d.]+)$`, 'm').exec(printed)![1])
    expect(grade('dog#2 dog')).toBeGreaterThan(grade('dog#2 yard'))
    expect(grade('yard#2 dog')).toBeGreaterThan(0.5)
    expect(grade('bell#2 dog')).toBeLessThan(0.2)
  },
  'device-tensors.mjs'(printed) {
    const [refused, hidden, gradient, twice] = printed.trim().split('\n')
    expect(refused).toMatch(/^INVALID_ARGUMENT .*already released/)
    expect(hidden).toMatch(/^hidden 4 5 10 11 on /)
    expect(gradient).toBe('gradient 5 5 7 7 9 9')
    expect(twice).toBe('twice 2 4 6 8 10 12')
  },
  'kernels.mjs'(printed) {
    const [once, twice, refusal] = printed.trim().split('\n')
    expect(once!.split(' ').map(Number)).toEqual([0, 1, 2, 3].flatMap((i) => [i / 4, i / 4, i / 4]))
    expect(twice!.split(' ').map(Number)).toEqual(once!.split(' ').map((x) => 2 * Number(x)))
    expect(refusal).toBe('INVALID_ARGUMENT Expected batch × n × d values (40) for similarity.a, got 32.')
  },
  'negatives.mjs'(printed) {
    const picked = Object.fromEntries(
      [...printed.matchAll(/^(\S+) +reads (\S+) +(.+)$/gm)].map(([, name, , list]) => [
        name,
        list!.split(' · '),
      ]),
    )
    expect(Object.keys(picked)).toHaveLength(16)
    expect(picked['full-batch']).toHaveLength(4)
    expect(picked['hard-text']![0]).toMatch(/^a dog in the rain/)
    for (const list of Object.values(picked)) expect(list.join()).not.toContain('a dog barks')
    const scoreOf = (text: string): number => Number(/\(([-\d.]+)\)$/.exec(text)![1])
    const scores = picked['full-batch']!.map(scoreOf)
    expect(scoreOf(picked['hard']![0]!)).toBe(Math.max(...scores))
    const own = Number(/the pair itself scores ([\d.]+)/.exec(printed)![1])
    const distance = (score: number): number => Math.abs(score - own)
    expect(distance(scoreOf(picked['semi-hard']![0]!))).toBeCloseTo(Math.min(...scores.map(distance)), 5)
  },
  'own-loop.mjs'(printed) {
    const lines = printed.trim().split('\n')
    const epochs = lines.filter((line) => line.startsWith('epoch'))
    expect(epochs).toHaveLength(8)
    // What was left after two epochs and taken up again goes as what was not.
    expect(epochs.slice(4)).toEqual(epochs.slice(0, 4))
    expect(lines).toContain('goes on at step 8')
    const [first, last] = [epochs[0]!, epochs[3]!].map((line) =>
      Number(/validation ([\d.]+)$/.exec(line)![1]),
    )
    expect(last).toBeLessThan(first!)
    expect(lines.at(-1)).toBe('the same bits as without the break')
  },
  'transformer.mjs'(printed) {
    const losses = [...printed.matchAll(/^step \d+ loss ([\d.]+)$/gm)].map(([, loss]) => Number(loss))
    expect(losses).toHaveLength(6)
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 2)
  },
  'two-towers.mjs'(printed) {
    const rows = [
      ...printed.matchAll(/^(\w+): (\d+) numbers a clip, mAP@10 ([\d.]+), by chance ([\d.]+)$/gm),
    ].map(([, name, inputs, score, chance]) => ({ name, inputs, above: Number(score) / Number(chance) }))
    expect(rows.map(({ name, inputs }) => [name, inputs])).toEqual([
      ['small', '32'],
      ['large', '96'],
      ['both', '128'],
    ])
    for (const { above } of rows) expect(above).toBeGreaterThan(2)
    expect(printed).toMatch(/^in onnxruntime within 0\.00001$/m)
  },
  'score-matrix.mjs'(printed) {
    const lines = printed.trim().split('\n')
    expect(lines.map((line) => line.split(' ')[0])).toEqual([
      'R@1',
      'R@10',
      'mAP@10',
      'MRR',
      'medR',
      'nDCG@10',
    ])
    expect(lines[0]).toMatch(
      /^R@1 +text → audio 0\.\d{3} \(0\.\d{3}–0\.\d{3}\), chance 0\.020; audio → text 0\.\d{3}, chance 0\.004$/,
    )
  },
}

describe.skipIf(!built)(`examples${reason}`, () => {
  for (const [name, check] of Object.entries(checks))
    it(`${name} runs`, { timeout: 600_000 }, () => check(output(name)))
})

const pages = [
  ...['README.md', 'core-ts', 'native-cuda', 'scenes', 'bench'].map((name) =>
    name.endsWith('.md') ? name : `packages/${name}/README.md`,
  ),
  ...readdirSync(join(here, '../docs/guide'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/guide/${name}`),
]
const blocks = pages.flatMap((page) => blocksOf(join(here, '..'), page))

describe.skipIf(!built)(`programs in the documentation${reason}`, () => {
  it('run, in a folder with the run of the first example', { timeout: 600_000 }, () => {
    const at = (name: string): string => join(folder, name)
    const audio = join(here, '../packages/core-ts/test-data/audio')
    for (const name of ['dog.flac', 'night.flac'])
      copyFileSync(join(audio, 'formats/flac-16-stereo.flac'), at(name))
    copyFileSync(join(audio, 'formats/mpeg.mp3'), at('b.mp3'))
    for (const name of ['a.wav', 'street.wav']) copyFileSync(at('tone.wav'), at(name))
    mkdirSync(at('runs'))
    symlinkSync(at('run'), at('runs/first'), 'junction')
    mkdirSync(at('recordings/theremin'), { recursive: true })
    copyFileSync(at('tone.wav'), at('recordings/theremin/a.wav'))
    writeFileSync(at('recordings/captions.csv'), 'file,caption\ntheremin/a.wav,a theremin wails\n')
    const segments = [{ phrase: 'rain', onset: 0, offset: 1 }]
    writeFileSync(at('aligned.jsonl'), `${JSON.stringify({ audio: 'audio/test-01.wav', segments })}\n`)
    const ratings = ['q1,c1,r1,90,9,TP', 'q1,c2,r1,10,9,TN', 'q1,c1,r2,80,9,TP', 'q1,c2,r2,0,9,TN']
    writeFileSync(at('ratings.csv'), ['query,item,rater,rating,played,group', ...ratings, ''].join('\n'))
    expect(blocks.filter(({ notRun }) => notRun === null).length).toBeGreaterThan(13)
    mkdirSync(at('blocks'))
    symlinkSync(join(here, '../node_modules'), at('node_modules'), 'junction')
    for (const [i, { code, notRun }] of blocks.entries()) {
      // What a block that is not run imports must be there all the same.
      const imports = code.match(/^import [^]*?from '.*'$/gm) ?? []
      writeFileSync(at(`blocks/${i}.mts`), notRun === null ? code : imports.join('\n'))
    }
    // One process for all: each takes no longer than what it computes.
    const program = `const failed = []
      const names = ${JSON.stringify(blocks.map(({ at: name }) => name))}
      for (const [i, name] of names.entries())
        await import('./blocks/' + i + '.mts').catch((error) => failed.push(name + ': ' + (error.stack ?? error)))
      console.log('FAILED ' + JSON.stringify(failed))`
    writeFileSync(at('blocks.mjs'), program)
    const options = { cwd: folder, encoding: 'utf8' } as const
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--experimental-strip-types', 'blocks.mjs'],
      options,
    )
    const failed: unknown = JSON.parse(/^FAILED (.*)$/m.exec(stdout)?.[1] ?? JSON.stringify([stdout, stderr]))
    expect(failed).toEqual([])
  })
})

it('every example is run, in an order in which they can follow each other', () => {
  expect(readdirSync(here).filter((name) => name.endsWith('.mjs'))).toEqual(Object.keys(checks).toSorted())
})

it('no example is longer than 60 lines', () => {
  const all = readdirSync(here, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.mjs'))
  const long = all.filter((name) => readFileSync(join(here, name), 'utf8').trimEnd().split('\n').length > 60)
  expect(long).toEqual([])
})

it.each(['README.md', 'packages/native-cuda/README.md'])(
  'the example of %s is the program that is run',
  (file) => {
    const readme = readFileSync(join(here, '..', file), 'utf8')
    const [, name, code] = /<!-- example: examples\/(\S+) -->\n+```js\n([^]*?)```\n/.exec(readme)!
    expect(code).toBe(readFileSync(join(here, name!), 'utf8'))
    expect(code!.trim().split('\n').length).toBeLessThanOrEqual(25)
  },
)
