#!/usr/bin/env node
// Trains once to the end; then trains again and again, each time killed at a random moment, from its first millisecond to its last, and
// resumed: every time the model must be the same, bit for bit. Run after TypeScript is built.
//
//   node tools/nightly/kill-and-resume.mjs [--points 50] [--seed 1] [--out docs/results/resume.md]
//
// Prints a table of what each kill met, and writes it to --out; the last line says what was seen.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')
const built = (path) => import(pathToFileURL(join(root, 'packages', path)).href)
const { values } = parseArgs({
  options: {
    points: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string' },
  },
})
const { Rng, readSafetensors } = await built('core-ts/dist/base/index.js')
const { tinyRun, writeToneClips } = await built('core-ts/dist/testing/index.js')
const { environment, environmentLine } = await built('bench/dist/harness/environment.js')
const { markdownTable } = await built('bench/dist/harness/table.js')

const folder = mkdtempSync(join(tmpdir(), 'sonotext-kills-'))
const points = Number(values.points)
const rng = new Rng(Number(values.seed), 'kills')
try {
  const { manifest } = await writeToneClips(folder)
  const config = join(folder, 'run.json')
  writeFileSync(
    config,
    JSON.stringify({
      ...tinyRun,
      data: { manifest },
      training: { epochs: 8, batchSize: 4, saveEvery: 1 },
      validation: { measures: [] },
      logging: { tensorboard: false },
    }),
  )
  const whole = await train(config, 'whole')
  if (whole.code !== 0)
    throw new Error(`the run that was left alone ended with ${whole.code}:\n${whole.said}`)
  const wanted = modelOf('whole')

  const rows = []
  for (let point = 1; point <= points; point++) {
    const name = `run-${point}`
    const after = rng.uniform()
    const { code } = await train(config, name, after * whole.ms)
    const checkpoint = join(folder, name, 'checkpoint.safetensors')
    const at = existsSync(checkpoint)
      ? JSON.parse((await readSafetensors(checkpoint)).metadata.content)
      : null
    const saved = at?.learner.steps ?? 0
    const halfWritten = existsSync(join(folder, name))
      ? readdirSync(join(folder, name)).filter((file) => file.endsWith('.tmp')).length
      : 0
    const resumed = await train(config, name, null, ['--resume'])
    if (resumed.code !== 0)
      throw new Error(`after a kill resuming ended with ${resumed.code}:\n${resumed.said}`)
    if (modelOf(name) !== wanted)
      throw new Error(`killed with ${saved} steps saved, the run ended with another model`)
    rmSync(join(folder, name), { recursive: true })
    rows.push({ point, after, ended: code === 0, saved, halfWritten })
    process.stderr.write(`${point}/${points}\n`)
  }
  const steps = new Set(rows.map(({ saved }) => saved)).size
  const count = (which) => rows.filter(which).length
  const verdict =
    `${points} runs killed (${count(({ saved }) => saved === 0)} before their first checkpoint, ` +
    `${count(({ saved, ended }) => saved > 0 && !ended)} behind one, ${count(({ ended }) => ended)} after their end; ` +
    `${steps} different steps saved) and resumed: the same bits`
  const text = report(rows, verdict)
  if (values.out !== undefined) writeFileSync(resolve(values.out), text)
  console.log(text)
  console.log(verdict)
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

function report(rows, verdict) {
  const right = (title, text) => ({ title, align: 'right', text })
  const columns = [
    right('kill', ({ point }) => String(point)),
    right('after this share of the run', ({ after }) => `${(100 * after).toFixed(1)} %`),
    right('steps saved', ({ saved, ended }) => (ended ? `${saved}, the end` : String(saved))),
    right('files half-written', ({ halfWritten }) => String(halfWritten)),
    right('resumed', () => 'same bits'),
  ]
  return [
    '# Killed and resumed',
    '',
    `${verdict}.`,
    '',
    'A run of 24 steps in 8 epochs writes a checkpoint after every step. Each line is such a run, killed with SIGKILL at a moment drawn at',
    'random from the first millisecond of its process to the last of the one that was left alone, then resumed to its end. Its',
    '`model.safetensors` is compared by SHA-256 with that of the run that was left alone.',
    '',
    markdownTable(columns, rows),
    '',
    `\`node tools/nightly/kill-and-resume.mjs --points ${values.points} --seed ${values.seed}\`, the stage \`kills\` of \`npm run nightly\``,
    '',
    environmentLine(environment()),
    '',
  ].join('\n')
}
