import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readSafetensors } from '@sonotext/core/base'
import { tinyRun, writeToneClips } from '@sonotext/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, cliJson, notBuilt, type Outcome, start } from './testing/run-cli.js'

interface LogLine {
  kind: string
  step: number
  message?: string
}

let folder: string
let config: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-train-'))
  const { manifest } = await writeToneClips(folder)
  config = join(folder, 'run.json')
  await writeFile(config, JSON.stringify({ ...tinyRun, data: { manifest } }))
})
afterAll(() => rm(folder, { recursive: true }))

const train = (run: string, ...more: string[]): string[] => [
  'train',
  '--config',
  config,
  '--run',
  join(folder, run),
  ...more,
]
const file = (run: string, name: string): string => join(folder, run, name)

/** Every tensor of a file, so that a difference names where it is. */
async function tensors(path: string): Promise<Record<string, string>> {
  const { tensors } = await readSafetensors(path)
  return Object.fromEntries(
    [...tensors].map(([name, { data }]) => [
      name,
      Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
    ]),
  )
}

async function sameWeights(run: string, other: string): Promise<void> {
  for (const name of ['model.safetensors', 'checkpoint.safetensors']) {
    const [a, b] = await Promise.all([tensors(file(run, name)), tensors(file(other, name))])
    expect(Object.keys(a).length).toBeGreaterThanOrEqual(30)
    expect(b).toEqual(a)
  }
}

async function log(run: string): Promise<LogLine[]> {
  const lines = (await readFile(file(run, 'log.jsonl'), 'utf8')).trim().split('\n')
  return lines.map((line) => JSON.parse(line) as LogLine)
}

async function stepsLogged(run: string): Promise<number[]> {
  return (await log(run)).flatMap(({ kind, step }) => (kind === 'step' ? [step] : []))
}

/** Step from which a run went on; a run that began again would end with the same weights too. */
async function resumedAt(run: string): Promise<number> {
  const starts = (await log(run)).filter(({ kind }) => kind === 'start')
  return Number(/^resumed at step (\d+)/.exec(starts.at(-1)!.message!)?.[1] ?? 0)
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1)

describe.skipIf(notBuilt !== null)(`sonotext train${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  const epochs = 20
  const long = ['--set', `training.epochs=${epochs}`]
  /** Uninterrupted, with as many threads as there are. */
  let whole: Outcome
  let quiet: Outcome
  beforeAll(async () => {
    whole = await cli(train('whole', ...long, '--json'))
    quiet = await cli(train('quiet', '--quiet'))
  })

  it('writes a run folder and one JSON document', async () => {
    expect(whole.stderr).toContain(`epoch ${epochs} · loss `)
    expect(whole.code).toBe(0)
    const result = JSON.parse(whole.stdout) as Record<string, unknown>
    expect(result).toMatchObject({
      folder: join(folder, 'whole'),
      epochs,
      steps: 3 * epochs,
      trainClips: 12,
      validationClips: 6,
      quarantined: 0,
      best: { monitor: 'loss' },
    })
    expect((await readdir(join(folder, 'whole'))).toSorted()).toEqual([
      'checkpoint.safetensors',
      'clips.jsonl',
      'config.json',
      'log.jsonl',
      'made-with.json',
      'model.safetensors',
      'quarantine.jsonl',
      'tensorboard',
    ])
    expect(await stepsLogged('whole')).toEqual(upTo(3 * epochs))
    expect(whole.stderr).not.toContain('\u001b')
  })

  it('says nothing but the result with --quiet', () => {
    const { code, stderr, stdout } = quiet
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(
      /^6 steps, 2 epochs on 12 clips \(6 for validation\)\nbest epoch \d: loss [\d.]+\nrun: /,
    )
  })

  it('stopped by Ctrl-C exits 130 at the next step and goes on to the same bits, on one thread too', async () => {
    const running = start(train('stopped', ...long))
    await running.said('epoch 2 ·')
    running.child.kill('SIGINT')
    const { code, stderr } = await running.outcome
    expect(code).toBe(130)
    expect(stderr).toContain('SIGINT: stopping at the next safe point')
    expect(stderr).toContain(`go on with: sonotext train --run ${join(folder, 'stopped')} --resume`)
    expect(stderr).not.toMatch(/^\s+at /m)
    const before = await stepsLogged('stopped')
    expect(before.length).toBeLessThan(3 * epochs)
    const resumed = await cliJson<{ steps: number }>(
      ['train', '--run', join(folder, 'stopped'), '--resume'],
      { env: { SONOTEXT_THREADS: '1' } },
    )
    expect(resumed.steps).toBe(3 * epochs)
    expect(await resumedAt('stopped')).toBe(before.at(-1))
    await sameWeights('whole', 'stopped')
    expect(await stepsLogged('stopped')).toEqual(upTo(3 * epochs))
  })

  it('SIGTERM stops it the same way', async () => {
    const running = start(train('terminated', ...long))
    await running.said('epoch 1 ·')
    running.child.kill('SIGTERM')
    expect((await running.outcome).code).toBe(130)
    expect(existsSync(file('terminated', 'checkpoint.safetensors'))).toBe(true)
  })

  it('killed goes on from its last checkpoint to the same bits', async () => {
    const running = start(train('killed', ...long, '--set', 'training.saveEvery=2'))
    await running.said('epoch 3 ·')
    running.child.kill('SIGKILL')
    expect((await running.outcome).code).toBe(null)
    // What a kill in the middle of a save leaves behind.
    await writeFile(file('killed', 'checkpoint.safetensors.77.0123abcd.tmp'), 'half a checkpoint')
    const resumed = await cliJson<{ steps: number }>(['train', '--run', join(folder, 'killed'), '--resume'])
    expect(resumed.steps).toBe(3 * epochs)
    expect(await resumedAt('killed')).toBeGreaterThanOrEqual(9)
    await sameWeights('whole', 'killed')
    expect((await readdir(join(folder, 'killed'))).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it('two at once do not get into each other’s way: one is refused with the process that has the folder', async () => {
    const first = start(train('both', ...long, '--set', 'seed=1'))
    await first.said('epoch 1 ·')
    const second = await cli(train('both', '--set', 'seed=2'))
    expect(second.code).toBe(1)
    expect(second.stderr).toMatch(
      new RegExp(`another training writes into this folder: process ${first.child.pid} on .*, since 20`),
    )
    first.child.kill('SIGTERM')
    expect((await first.outcome).code).toBe(130)
    expect(JSON.parse(await readFile(file('both', 'config.json'), 'utf8'))).toMatchObject({ seed: 1 })
    expect((await log('both')).filter(({ kind }) => kind === 'start')).toHaveLength(1)
  })

  it('killed anywhere goes on to the same bits', { timeout: 300_000 }, () => {
    const program = fileURLToPath(new URL('../../../tools/nightly/kill-and-resume.mjs', import.meta.url))
    const { stdout, stderr } = spawnSync(process.execPath, [program, '--points', '3'], { encoding: 'utf8' })
    expect(stderr).toBe('1/3\n2/3\n3/3\n')
    expect(stdout).toMatch(/^3 runs killed \(.*\) and resumed: the same bits$/m)
  })

  it('a finished run resumed does nothing, and more epochs may be asked for', async () => {
    await cp(join(folder, 'quiet'), join(folder, 'more'), { recursive: true })
    const again = await cliJson<{ steps: number }>(['train', '--run', join(folder, 'more'), '--resume'])
    expect(again.steps).toBe(6)
    await sameWeights('quiet', 'more')
    const more = await cliJson<{ steps: number }>([
      'train',
      '--run',
      join(folder, 'more'),
      '--resume',
      '--set',
      `training.epochs=${epochs}`,
    ])
    expect(more.steps).toBe(3 * epochs)
    expect(await resumedAt('more')).toBe(6)
    await sameWeights('whole', 'more')
  })

  it('refuses a folder that holds a run, and another configuration to resume with', async () => {
    const before = await tensors(file('quiet', 'checkpoint.safetensors'))
    const again = await cli(train('quiet'))
    expect(again.code).toBe(2)
    expect(again.stderr).toMatch(
      /quiet: there is already a run in this folder\. Resume it \(resume: true, on the command line --resume\)/,
    )
    const other = await cli(
      train('quiet', '--resume', '--set', 'loss.margin=0.7', '--set', 'optimizer.lr=0.1'),
    )
    expect(other.code).toBe(2)
    expect(other.stderr).toMatch(
      /another configuration: loss\.margin was 0\.5, now 0\.7; optimizer\.lr was 0\.001, now 0\.1\./,
    )
    expect(await tensors(file('quiet', 'checkpoint.safetensors'))).toEqual(before)
  })

  it('a run that never began leaves its folder free', async () => {
    const wrong = await cli(train('free', '--set', 'data.trainSplit=trian'))
    expect(wrong.code).toBe(1)
    expect(wrong.stderr).toMatch(
      /no clip belongs to the split "trian" of data\.trainSplit\. The manifest has: train, validation, test\./,
    )
    expect((await cli(train('free'))).code).toBe(0)
  })

  it('a checkpoint cut short is named, and the model beside it still works', async () => {
    await cp(join(folder, 'quiet'), join(folder, 'cut'), { recursive: true })
    const bytes = await readFile(file('cut', 'checkpoint.safetensors'))
    await writeFile(file('cut', 'checkpoint.safetensors'), bytes.subarray(0, bytes.length - 1000))
    const { code, stderr } = await cli(['train', '--run', join(folder, 'cut'), '--resume'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/cut\/checkpoint\.safetensors: .*cut short/)
    expect((await cli(['evaluate', join(folder, 'cut'), '--json'])).code).toBe(0)
  })

  it('other data under the same names is refused when resuming', async () => {
    await cp(join(folder, 'quiet'), join(folder, 'moved'), { recursive: true })
    const text = await readFile(join(folder, 'clips.jsonl'), 'utf8')
    await writeFile(join(folder, 'moved.jsonl'), text)
    const other: Record<string, string> = { hum: 'whistle', whistle: 'hum', low: 'high', high: 'low' }
    await writeFile(
      join(folder, 'changed.jsonl'),
      text.replaceAll(
        /\b(low|high) (hum|whistle)\b/g,
        (_, a: string, b: string) => `${other[a]} ${other[b]}`,
      ),
    )
    const resume = [
      'train',
      '--run',
      join(folder, 'moved'),
      '--resume',
      '--set',
      'training.epochs=3',
      '--set',
    ]
    const changed = await cli([...resume, `data.manifest=${join(folder, 'changed.jsonl')}`])
    expect(changed.stderr).toMatch(/moved\/checkpoint\.safetensors: .*other/)
    expect(changed.code).toBe(1)
    expect((await cli([...resume, `data.manifest=${join(folder, 'moved.jsonl')}`])).code).toBe(0)
  })

  it('without validation clips the training loss picks the epoch', async () => {
    const result = await cliJson<{ best: { monitor: string }; validationClips: number }>(
      train('alone', '--set', 'data.validationSplit=null', '--set', 'logging.tensorboard=false'),
    )
    expect([result.best.monitor, result.validationClips]).toEqual(['trainLoss', 0])
    expect(existsSync(file('alone', 'tensorboard'))).toBe(false)
  })

  it('a full disk is named, nothing earlier is lost, and with room again the run goes on to the same bits', async ({
    skip,
  }) => {
    const disk = join(folder, 'disk')
    const run = join(disk, 'run')
    await mkdir(disk)
    // Room for one checkpoint and the model, not for the next checkpoint beside the one it is to replace.
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=14m', 'tmpfs', disk])
    skip(mounted.status !== 0, 'no small file system to fill: mount needs rights this user lacks')
    try {
      const full = await cli(['train', '--config', config, '--run', run])
      expect(full.stderr).toMatch(/checkpoint\.safetensors: could not write the file \(ENOSPC\)/)
      expect(full.stderr).toContain('The disk is full: free some space and run again.')
      expect(full.stderr).not.toMatch(/^\s+at /m)
      expect(full.code).toBe(1)
      expect((await readdir(run)).filter((name) => name.endsWith('.tmp'))).toEqual([])
      const { metadata } = await readSafetensors(join(run, 'checkpoint.safetensors'))
      expect(JSON.parse(metadata['content']!)).toMatchObject({
        learner: { steps: 3 },
        loop: { epoch: 1 },
      })
      expect((await cli(['evaluate', run])).code).toBe(0)

      expect(spawnSync('mount', ['-o', 'remount,size=64m', disk]).status).toBe(0)
      expect((await cli(['train', '--run', run, '--resume'])).code).toBe(0)
      expect(await resumedAt('disk/run')).toBe(3)
      await sameWeights('quiet', 'disk/run')
    } finally {
      spawnSync('umount', [disk])
    }
  })

  it('a log that cannot be written ends the run with a reason', async ({ skip }) => {
    skip(!existsSync('/dev/full'), 'no /dev/full here')
    expect((await cli(train('log'))).code).toBe(0)
    await rm(file('log', 'log.jsonl'))
    await symlink('/dev/full', file('log', 'log.jsonl'))
    const { code, stderr } = await cli(train('log', '--resume', '--set', 'training.epochs=3'))
    expect(stderr).toMatch(/log\.jsonl: could not write the log \(ENOSPC\)\. Free disk space/)
    expect(code).toBe(1)
  })
})
