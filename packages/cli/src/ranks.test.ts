import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { readSafetensors } from '@sonotext/core/base'
import { emulatedGpus, tinyRun, writeToneClips } from '@sonotext/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missing } from '../../../tools/program.mjs'
import { cli, launcher, notBuilt, type Outcome, start } from './testing/run-cli.js'

let folder: string
let config: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-ranks-'))
  const { manifest } = await writeToneClips(folder)
  config = join(folder, 'run.json')
  // A large eps: a weight whose gradient is nothing but rounding does not move.
  const optimizer = { type: 'adam', lr: 0.003, eps: 1 }
  await writeFile(config, JSON.stringify({ ...tinyRun, optimizer, data: { manifest } }))
})
afterAll(() => rm(folder, { recursive: true }))

const train = (run: string, ...more: string[]): string[] => [
  ...['train', '--config', config, '--run', join(folder, run), '--threads', '1'],
  ...more,
]

interface Kept {
  readonly losses: readonly number[]
  readonly weights: Float64Array
}

async function kept(run: string): Promise<Kept> {
  const lines = (await readFile(join(folder, run, 'log.jsonl'), 'utf8')).trim().split('\n')
  const steps = lines
    .map((line) => JSON.parse(line) as { kind: string; loss: number })
    .filter(({ kind }) => kind === 'step')
  const { tensors } = await readSafetensors(join(folder, run, 'checkpoint.safetensors'))
  const model = [...tensors].filter(([name]) => name.startsWith('model/'))
  return {
    losses: steps.map(({ loss }) => loss),
    weights: Float64Array.from(model.flatMap(([, { data }]) => Array.from(data, Number))),
  }
}

async function expectEqual(run: string, other: string): Promise<void> {
  const [a, b] = [await kept(run), await kept(other)]
  expect(a.losses).toHaveLength(b.losses.length)
  for (const [i, loss] of a.losses.entries()) expect(Math.abs(loss / b.losses[i]! - 1)).toBeLessThan(1e-5)
  const far = Math.sqrt(a.weights.reduce((sum, value, i) => sum + (value - b.weights[i]!) ** 2, 0))
  const length = Math.sqrt(b.weights.reduce((sum, value) => sum + value ** 2, 0))
  expect(far / length).toBeLessThan(1e-5)
}

/** Runs mpirun as root too, and with more processes than the machine has processors. */
function mpirun(ranks: number, args: readonly string[]): Promise<Outcome> {
  const all = [
    '--allow-run-as-root',
    '--oversubscribe',
    '-n',
    String(ranks),
    process.execPath,
    launcher,
    ...args,
  ]
  const child = spawn('mpirun', all, { stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })))
}

describe.skipIf(notBuilt !== null)(`ranks${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  beforeAll(async () => {
    expect(await cli(train('one'))).toMatchObject({ code: 0 })
  })

  it('--ranks 2 trains what one process trains, and rank 0 alone speaks', async () => {
    const { code, stdout, stderr } = await cli([...train('two', '--ranks', '2'), '--json'])
    expect(stderr).toContain('2 ranks, each on')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ steps: 6, epochs: 2 })
    expect(existsSync(join(folder, 'two', '.lock'))).toBe(false)
    await expectEqual('two', 'one')
  })

  const noMpi = missing('mpirun')
  it.skipIf(noMpi !== null)(
    `mpirun -n 4 trains what one process trains${noMpi === null ? '' : ` (${noMpi})`}`,
    async () => {
      const { code, stdout, stderr } = await mpirun(4, train('mpi'))
      expect(stderr).toContain('4 ranks, each on')
      expect(code).toBe(0)
      expect(stdout.match(/6 steps, 2 epochs/g)).toHaveLength(1)
      await expectEqual('mpi', 'one')
    },
  )

  it('with more ranks than GPUs some share one, which NCCL refuses: rank 0 says so once, and goes on', async (context) => {
    const gpus = emulatedGpus(1)
    if (gpus === null) return context.skip('emulated GPUs are built with CMake only')
    const running = start(train('shared', '--ranks', '2', '--device', 'cuda'), { env: gpus })
    await running.said('training on 2 ranks, the first on cuda:0')
    // The emulation is slow: nothing is trained.
    running.child.kill('SIGKILL')
    const { stderr } = await running.outcome
    expect(stderr.match(/NCCL is not used: [^\n]*/g)).toEqual([
      'NCCL is not used: ranks 0 and 1 share the GPU cuda:0, and it takes one a rank. What the GPUs exchange goes through the host.',
    ])
  })

  it('an error of rank 0 ends all of them, once said; its exit code is that of the command', async () => {
    const { code, stderr } = await cli(train('one', '--ranks', '2'))
    expect(code).not.toBe(0)
    expect(stderr).toContain('there is already a run in this folder')
  })

  it('Ctrl-C stops all ranks between two steps, and one process goes on', async () => {
    const long = ['--set', 'training.epochs=6']
    const whole = cli(train('whole', ...long))
    const running = start(train('stopped', '--ranks', '2', ...long))
    await running.said('before training')
    running.child.kill('SIGINT')
    const { code, stderr } = await running.outcome
    expect(stderr).toContain('go on with: sonotext train')
    expect(code).toBe(130)
    expect(await cli(train('stopped', '--resume', ...long))).toMatchObject({ code: 0 })
    expect(await whole).toMatchObject({ code: 0 })
    await expectEqual('stopped', 'whole')
  })

  it('says when --ranks and a launcher ask for different numbers', async () => {
    const env = { SONOTEXT_RANK: '0', SONOTEXT_RANKS: '2', SONOTEXT_MEETING: join(folder, 'nowhere') }
    const { code, stderr } = await cli(train('none', '--ranks', '3'), { env })
    expect(code).toBe(2)
    expect(stderr).toContain('has started 2 processes, and --ranks asks for 3')
  })
})
