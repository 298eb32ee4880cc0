#!/usr/bin/env node
// Trains the same small CRNN runs with 1, 2 and 4 processes, started by `sonotext train --ranks` and by mpirun, and writes how far losses and weights are
// apart to docs/results/data-parallel.md (--out FILE: elsewhere):
//
//   apt-get install -y openmpi-bin && npm run setup && node tools/compare/data-parallel.mjs
//
// Without mpirun its rows say so. Exit code 1 when a run fails or one is further apart than the page says may be.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { format, resolveConfig } from 'prettier'
import { readSafetensors } from '../../packages/core-ts/dist/base/index.js'
import { writeToneClips } from '../../packages/core-ts/dist/testing/tone-clips.js'
import { missing } from '../program.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const launcher = join(root, 'packages/cli/bin/sonotext.js')
const { values } = parseArgs({
  options: { out: { type: 'string', default: 'docs/results/data-parallel.md' } },
})

const noMpi = missing('mpirun', { PATH: process.env.PATH })
/** Rank processes and what starts them; the first is what the others are compared with. */
const ways = [
  { name: '1 process', ranks: 1 },
  { name: '2, `--ranks 2`', ranks: 2 },
  { name: '4, `--ranks 4`', ranks: 4 },
  { name: '2, `mpirun -n 2`', ranks: 2, mpi: true },
  { name: '4, `mpirun -n 4`', ranks: 4, mpi: true },
  { name: '4, `--ranks 4`, again', ranks: 4 },
  { name: '1 process, plain instructions', ranks: 1, isa: 'scalar' },
]
/** Steps that go nowhere: the weights that training begins with. */
const still = ['training.epochs=1', 'optimizer.lr=1e-30', 'schedule.minLr=1e-30'].flatMap((key) => [
  '--set',
  key,
])
const infoNce = { type: 'info-nce', temperature: 0.1, learnable: true }
const hard = { type: 'triplet', negatives: { type: 'hard' } }
const settings = [
  { name: 'InfoNCE', loss: infoNce, eps: 1 },
  { name: 'triplet loss, hard negatives, gradients clipped to norm 1', loss: hard, eps: 1, clip: 1 },
  { name: 'InfoNCE, Adam with its own eps of 1e-8', loss: infoNce, eps: 1e-8 },
]

const folder = mkdtempSync(join(tmpdir(), 'sonotext-ranks-'))
let failed = false
const sections = []
try {
  const { manifest } = await writeToneClips(folder, { splits: { train: 24, validation: 6 } })
  for (const [s, setting] of settings.entries()) {
    const config = join(folder, `${s}.json`)
    const { loss, eps, clip = null } = setting
    const optimizer = { type: 'adam', lr: 0.003, eps, clip }
    const model = { text: { type: 'mean-words', dim: 16, trainable: true }, similarity: 'pooled' }
    // 24 clips: batches of 7, 7, 7 and 3, which no number of ranks divides, and the last has fewer clips than four ranks.
    const training = { epochs: 3, batchSize: 7 }
    writeFileSync(
      config,
      JSON.stringify({ data: { manifest, items: 'clip' }, model, loss, optimizer, training }),
    )
    const start = await weightsOf(
      train(config, `${s}-start`, {
        ranks: 1,
        more: still,
      }),
    )
    const rows = []
    let first
    for (const [w, way] of ways.entries()) {
      if (way.mpi && noMpi !== null) {
        rows.push([way.name, noMpi, '', ''])
        continue
      }
      const run = train(config, `${s}-${w}`, way)
      const here = { losses: lossesOf(run), weights: await weightsOf(run) }
      first ??= here
      const loss = Math.max(...here.losses.map((value, i) => Math.abs(value / first.losses[i] - 1)))
      const way1 = distance(first.weights, start)
      const weights = distance(here.weights, first.weights) / way1
      const same = weights === 0 ? 'the same bits' : weights.toExponential(1)
      if (eps === 1 && !(loss < 1e-4 && weights < 1e-4)) failed = true
      rows.push([
        way.name,
        here.losses.at(-1).toFixed(6),
        w === 0 ? '' : loss.toExponential(1),
        w === 0 ? '' : same,
      ])
      console.error(setting.name, ...rows.at(-1))
    }
    sections.push(
      `## ${setting.name}\n\n| processes | last loss | loss, largest difference | weights, distance |\n| --- | ---: | ---: | ---: |\n${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}\n`,
    )
  }
} finally {
  rmSync(folder, { recursive: true })
}

const commit = execFileSync('git', ['describe', '--always', '--dirty'], {
  cwd: root,
  encoding: 'utf8',
}).trim()
const mpi = noMpi ?? spawnSync('mpirun', ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0]
const page = `# k processes and one big batch

Twelve steps of the CRNN (batch norm, dropout 0.3) on 24 short clips, in batches of 7, 7, 7 and 3: sizes that no number of ranks divides. Every run
has the same batches and seeds. The losses of the steps are compared as shares of themselves; the distance of the weights is a share of the way that training
went (Euclidean, over all weights).

${sections.join('\n')}
The last row of each table is what another order of sums does within one process: the same run with plain instead of vector instructions. Adam divides a
gradient by its size, so with its own eps a weight whose gradient is nothing but rounding goes its full step one way or the other, with another
instruction set as with another number of ranks; an eps of 1 shows what the processes themselves do. What must stay below 1e-4 there is rounding that twelve steps carry on.

Machine: ${cpus()[0].model.trim()}, ${cpus().length} threads; Node ${process.version}; ${mpi}; commit ${commit}. Command: \`node tools/compare/data-parallel.mjs\`
`
const out = join(root, values.out)
writeFileSync(out, await format(page, { ...(await resolveConfig(out)), filepath: out }))
console.error(`${values.out} written${failed ? ': something is further apart than 1e-4' : ''}`)
process.exit(failed ? 1 : 0)

/** Runs to the end; the folder. */
function train(config, name, { ranks, mpi = false, isa, more = [] }) {
  const run = join(folder, name)
  const command = [launcher, 'train', '--quiet', '--config', config, '--run', run, '--threads', '1', ...more]
  const mpirun = ['--allow-run-as-root', '--oversubscribe', '-n', String(ranks), process.execPath, ...command]
  const [program, args] = mpi
    ? ['mpirun', mpirun]
    : [process.execPath, ranks > 1 ? [...command, '--ranks', String(ranks)] : command]
  const env = { ...process.env, ...(isa && { SONOTEXT_ISA: isa }) }
  const { status, stderr } = spawnSync(program, args, { env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}:\n${stderr}`)
  return run
}

function lossesOf(run) {
  const lines = readFileSync(join(run, 'log.jsonl'), 'utf8').trim().split('\n').map(JSON.parse)
  return lines.filter(({ kind }) => kind === 'step').map(({ loss }) => loss)
}

async function weightsOf(run) {
  const { tensors } = await readSafetensors(join(run, 'checkpoint.safetensors'))
  const own = [...tensors].filter(([name]) => /^(model|loss)\//.test(name) && !name.includes('running'))
  return Float64Array.from(own.flatMap(([, { data }]) => [...data]))
}

function distance(a, b) {
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0))
}
