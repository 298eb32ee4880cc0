#!/usr/bin/env node
// Trains a CRNN by the command line on one emulated GPU, and by two ranks on two of them with a stand-in for NCCL in between; compares losses and
// weights. Exit code 1 when they are apart by more than the order of sums makes of it.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readSafetensors } from '../../packages/core-ts/dist/base/index.js'
import { emulatedGpus } from '../../packages/core-ts/dist/testing/emulated-gpus.js'
import { tinyRun, writeToneClips } from '../../packages/core-ts/dist/testing/tone-clips.js'

const tolerance = 1e-5
const launcher = fileURLToPath(new URL('../../packages/cli/bin/sonotext.js', import.meta.url))
const gpus = emulatedGpus(2)
if (gpus === null) throw new Error('emulated GPUs are not built: npm run setup, with CMake')

const folder = mkdtempSync(join(tmpdir(), 'sonotext-emulated-'))
try {
  const { manifest } = await writeToneClips(folder, { splits: { train: 5, validation: 2 }, seconds: 0.25 })
  const config = join(folder, 'run.json')
  // A large eps: a weight whose gradient is nothing but rounding does not move. Five clips: shares of two and three.
  const optimizer = { type: 'adam', lr: 0.003, eps: 1 }
  const training = { epochs: 2, batchSize: 5 }
  writeFileSync(config, JSON.stringify({ ...tinyRun, optimizer, training, data: { manifest } }))
  const one = await train(config, 'one', [])
  const two = await train(config, 'two', ['--ranks', '2'])
  if (!two.said.includes('2 ranks joined by NCCL')) throw new Error(`NCCL was not used: ${two.said}`)
  const losses = Math.max(...two.losses.map((loss, i) => Math.abs(loss / one.losses[i] - 1)))
  const weights =
    distance(two.weights, one.weights) / distance(one.weights, new Float64Array(one.weights.length))
  const seen = `${one.losses.length} steps of 1 and of 2 emulated GPUs: losses ${losses.toExponential(1)}, weights ${weights.toExponential(1)} apart`
  if (!(
    one.losses.length > 0 &&
    two.losses.length === one.losses.length &&
    losses < tolerance &&
    weights < tolerance
  ))
    throw new Error(`${seen}; at most ${tolerance} may be`)
  console.log(seen)
} finally {
  rmSync(folder, { recursive: true })
}

async function train(config, name, more) {
  const run = join(folder, name)
  const args = ['train', '--config', config, '--run', run, '--device', 'cuda', '--threads', '1', ...more]
  const { status, stderr } = spawnSync(process.execPath, [launcher, ...args], {
    env: { ...process.env, ...gpus },
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`sonotext ${args.join(' ')} ended with ${status}:\n${stderr}`)
  const lines = readFileSync(join(run, 'log.jsonl'), 'utf8').trim().split('\n')
  const steps = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === 'step')
  const { tensors } = await readSafetensors(join(run, 'checkpoint.safetensors'))
  const model = [...tensors].filter(([tensor]) => tensor.startsWith('model/'))
  const weights = Float64Array.from(model.flatMap(([, { data }]) => Array.from(data, Number)))
  return { said: stderr, losses: steps.map(({ loss }) => loss), weights }
}

function distance(a, b) {
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0))
}
