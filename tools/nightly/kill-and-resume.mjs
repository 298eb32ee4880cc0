#!/usr/bin/env node
// Trains once to the end; then trains again and again, each time killed at a random moment, from its first millisecond to its last, and
// resumed: every time the model must be the same, bit for bit. Run after TypeScript is built.
//
//   node tools/nightly/kill-and-resume.mjs [--points 50] [--seed 1]
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')
const core = (path) => import(pathToFileURL(join(root, 'packages/core-ts/dist', path)).href)
const { values } = parseArgs({
  options: { points: { type: 'string', default: '50' }, seed: { type: 'string', default: '1' } },
})
const { Rng, readSafetensors } = await core('base/index.js')
const { tinyRun, writeToneClips } = await core('testing/index.js')

const folder = mkdtempSync(join(tmpdir(), 'sonotext-kills-'))
const points = Number(values.points)
const rng = new Rng(Number(values.seed), 'kills')
try {
  const { manifest } = await writeToneClips(folder)
  const config = join(folder, 'run.json')
  writeFileSync(
    config,
    JSON.stringify({ ...tinyRun, data: { manifest }, training: { epochs: 60, batchSize: 4, saveEvery: 3 } }),
  )
  const whole = await train(config, 'whole')
  if (whole.code !== 0)
    throw new Error(`the run that was left alone ended with ${whole.code}:\n${whole.said}`)
  const wanted = modelOf('whole')

  const seen = { 'before its first checkpoint': 0, 'behind a checkpoint': 0, 'at its end': 0 }
  const steps = new Set()
  for (let point = 0; point < points; point++) {
    const name = `run-${point}`
    const { code } = await train(config, name, rng.uniform() * whole.ms)
    const checkpoint = join(folder, name, 'checkpoint.safetensors')
    const at = existsSync(checkpoint)
      ? JSON.parse((await readSafetensors(checkpoint)).metadata.content)
      : null
    seen[code === 0 ? 'at its end' : at === null ? 'before its first checkpoint' : 'behind a checkpoint']++
    if (at !== null) steps.add(at.learner.steps)
    const resumed = await train(config, name, null, ['--resume'])
    if (resumed.code !== 0)
      throw new Error(`after a kill resuming ended with ${resumed.code}:\n${resumed.said}`)
    if (modelOf(name) !== wanted)
      throw new Error(`killed with ${at?.learner.steps ?? 0} steps saved, the run ended with another model`)
    rmSync(join(folder, name), { recursive: true })
  }
  const counts = Object.entries(seen).map(([where, count]) => `${count} ${where}`)
  console.log(
    `${points} runs killed (${counts.join(', ')}; ${steps.size} different steps) and resumed: the same bits`,
  )
} finally {
  rmSync(folder, { recursive: true })
}

/** Runs `sonotext train`, killed after so many ms. */
async function train(config, name, after = null, more = []) {
  const launcher = join(root, 'packages/cli/bin/sonotext.js')
  const started = performance.now()
  const args = ['train', '--config', config, '--run', join(folder, name), '--quiet', ...more]
  const child = spawn(process.execPath, [launcher, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text) => (said += text))
  const timer = after === null ? undefined : setTimeout(() => child.kill('SIGKILL'), after)
  const code = await new Promise((done) => child.once('close', done))
  clearTimeout(timer)
  return { code, said, ms: performance.now() - started }
}

function modelOf(name) {
  return createHash('sha256')
    .update(readFileSync(join(folder, name, 'model.safetensors')))
    .digest('hex')
}
