import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tinyRun, writeToneClips } from '@sonotext/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, notBuilt } from './testing/run-cli.js'

let folder: string
const at = (name: string): string => join(folder, name)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-json-'))
  await writeToneClips(folder, { splits: { train: 8, test: 4 } })
  await writeFile(at('run.json'), JSON.stringify({ ...tinyRun, data: { manifest: at('clips.jsonl') } }))
  await writeFile(at('captions.csv'), 'file,caption\nlow-hum-0.wav,a hum\n')
  await writeFile(
    at('ratings.csv'),
    'query,item,rater,rating\na hum,x,r1,90\na hum,y,r1,10\na hum,x,r2,80\na hum,y,r2,20\n',
  )
  await writeFile(at('run.txt'), 'q1 Q0 a 1 0.9 x\n')
  await writeFile(at('qrels.txt'), 'q1 0 a 1\n')
})
afterAll(() => rm(folder, { recursive: true }))

/** A call of every command, in an order in which they can follow each other; null: why there is none here. */
const calls: Record<string, (() => string[]) | null> = {
  // Minutes of training; `npm run demo -- --json` is the test of it.
  demo: null,
  compose: () => ['--out', at('scenes'), '--split', 'train=2', '--split', 'test=1', '--duration', '3'],
  check: () => [at('clips.jsonl')],
  import: () => [
    '--from',
    'folder',
    at('captions.csv'),
    '--audio',
    at('audio'),
    '--out',
    at('imported.jsonl'),
  ],
  features: () => [at('audio/low-hum-0.wav'), at('audio/high-whistle-1.wav'), '--out', at('features')],
  train: () => ['--config', at('run.json'), '--run', at('run')],
  evaluate: () => [at('run')],
  compare: () => [at('run'), at('run'), '--replicates', '99'],
  report: () => [at('run'), '--out', at('report.html')],
  search: () => [at('run'), 'a low hum'],
  align: () => [at('run'), at('audio/low-hum-0.wav'), 'a low hum'],
  moments: () => [at('run'), at('audio/low-hum-0.wav'), 'a low hum'],
  metrics: () => ['--run', at('run.txt'), '--truth', at('qrels.txt')],
  relevance: () => ['import', at('ratings.csv')],
  embed: () => [at('run'), '--out', at('vectors')],
  classify: () => [at('run'), at('audio/low-hum-0.wav'), '--labels', 'hum,whistle'],
  // Needs a run with frozen towers; the test of towers exports one.
  export: null,
  models: () => [],
  config: () => [],
  init: () => [at('project')],
  // Compares two installed versions; the test of packages runs it from tarballs.
  bench: null,
  doctor: () => [],
}

describe.skipIf(notBuilt !== null)(`--json${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  it('is known of every command', async () => {
    const { stdout } = await cli(['--help'])
    const commands = [...stdout.matchAll(/^ {2}([a-z]+) .*/gm)].map(([, name]) => name!)
    expect(Object.keys(calls)).toEqual(commands.filter((name) => name !== 'help'))
  })

  for (const [name, args] of Object.entries(calls)) {
    if (args === null) continue
    it(`${name}: stdout is exactly one JSON document, all else is on stderr`, async () => {
      const { code, stdout, stderr } = await cli([name, ...args(), '--json'])
      expect(stderr).not.toMatch(/^\s+at /m)
      expect(code).toBe(0)
      expect(JSON.parse(stdout)).toBeTypeOf('object')
      expect(stdout.endsWith('\n')).toBe(true)
      expect(stderr).not.toContain(stdout.trim())
    })
  }

  it('stands before the command as well', async () => {
    const { stdout } = await cli(['--json', 'config'])
    expect(JSON.parse(stdout)).toBeInstanceOf(Array)
  })
})
