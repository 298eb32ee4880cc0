import { fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { missing } from '../../../../tools/program.mjs'
import { emulatedGpus } from '../testing/emulated-gpus.js'
import type { ToyGraphsRun } from '../testing/toy-graphs.js'

// The emulation is an addon of its own, for a process of its own, which runs what is built.
const program = fileURLToPath(new URL('../../dist/testing/toy-graphs.js', import.meta.url))

it('trains the same bits with CUDA graphs, and nearly all kernels of a step that came before go by them', async (context) => {
  const gpus = emulatedGpus(2)
  if (gpus === null) return context.skip(missing('cmake') ?? 'emulated GPUs are built with CMake only')
  context.skip(!existsSync(program), 'the TypeScript is not built: npm run setup')
  const child = fork(program, { env: { ...process.env, ...gpus } })
  const [plain, graphs] = await new Promise<[ToyGraphsRun, ToyGraphsRun]>((resolve, reject) => {
    child.once('message', (runs) => resolve(runs as [ToyGraphsRun, ToyGraphsRun]))
    child.once('exit', (code) => reject(new Error(`the run ended with ${code}`)))
  })
  expect(graphs.weights).toBe(plain.weights)
  const losses = ({ steps }: ToyGraphsRun) => steps.map(({ loss }) => loss)
  expect(losses(graphs)).toEqual(losses(plain))
  for (const { steps } of [plain, graphs]) for (const { downloads } of steps) expect(downloads).toBe(2)
  expect(plain.steps.every(({ byGraph }) => byGraph === 0)).toBe(true)
  // Batches of eight pairs and, at the end of an epoch, of six: the first of a kind goes alone, the second makes the graphs.
  const later = [...new Set(graphs.steps.map(({ pairs }) => pairs))].flatMap((kind) =>
    graphs.steps.filter(({ pairs }) => pairs === kind).slice(2),
  )
  expect(later.length).toBeGreaterThan(3)
  for (const { alone, byGraph } of later) expect(byGraph / (alone + byGraph)).toBeGreaterThan(0.85)
}, 300_000)
