#!/usr/bin/env node
// Measures the claims of docs/results again, beside the libraries they name, on a machine that does nothing else:
//
//   python3 -m venv build/compare && build/compare/bin/pip install -r tools/compare/requirements.txt
//   node tools/compare/remeasure.mjs --python build/compare/bin/python [--threads 2] [--rounds 15] [--out build/remeasured] [--busy] [--quick]
//
// Each comparison is a file of --out, and summary.md says what was run, on which machine, with which load and versions: a training step
// beside PyTorch, eager and compiled; features beside librosa and torch; a search beside faiss and onnxruntime; a resampling beside soxr;
// and what the speed check can see here, as it is and with every op slowed. What the Python lacks is said in its place. A load of 0.5 or
// more at the start is refused, unless --busy says that the numbers are for trying this program only; so does --quick, with the smallest
// settings. Exit code 0 all measured, 1 something could not be, 2 refused.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    threads: { type: 'string', default: '2' },
    out: { type: 'string', default: 'build/remeasured' },
    rounds: { type: 'string', default: '15' },
    busy: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
})

const { quick } = values
const [load] = loadavg()
if (load >= 0.5 && !values.busy && !quick) {
  console.error(
    `The load of this machine is ${load.toFixed(2)}: what is measured now would be no result. Wait, or --busy.`,
  )
  process.exit(2)
}
if (values.python === undefined) {
  console.error('Expected --python /path/to/python with the libraries to compare with.')
  process.exit(2)
}
const out = resolve(values.out)
mkdirSync(out, { recursive: true })
const file = (name) => join(out, name)
const { python, threads } = values
const rounds = quick ? '1' : values.rounds

const probe = `
import importlib.metadata, platform
print("Python " + platform.python_version())
for name in ("torch", "librosa", "soxr", "faiss-cpu", "onnxruntime", "numpy"):
    try: print(name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError: print(name, "is missing")`
const asked = spawnSync(python, ['-c', probe], { encoding: 'utf8' })
if (asked.status !== 0) {
  console.error(`${python} is no Python that runs: ${asked.error?.message ?? asked.stderr}`)
  process.exit(2)
}
const versions = asked.stdout.trim().split('\n').join(', ')

/** What was run: name of the file, what it compares, and how that ended. */
const done = []

/** Runs a suite; `good` are the exit codes that mean that it was measured. */
function suite(name, result, what, args, { env = {}, good = [0] } = {}) {
  const program = join(root, 'packages', 'bench', 'dist', 'run-suite.js')
  const started = performance.now()
  const { status } = spawnSync(process.execPath, [program, name, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: 'inherit',
  })
  const seconds = Math.round((performance.now() - started) / 1000)
  const ended = good.includes(status) ? 'measured' : `not measured: ended with ${status}`
  done.push({ result, what, ended: `${ended}, ${seconds} s` })
  if (!good.includes(status)) process.exitCode = 1
}

const median = (times) => [...times].sort((a, b) => a - b)[times.length >> 1]

/** Searches and resampling of both sides in turns; a line of the table each. */
async function searchAndResample() {
  const { createIndex, matrix, openBackend, resample, Rng } = await import('@sonotext/core')
  const backend = openBackend({ threads: Number(threads) })
  const { settle } = await import('../../packages/bench/dist/harness/settle.js')
  const rng = new Rng(1, 'remeasure')
  const drawn = (length, scale = 1) => Float32Array.from({ length }, () => scale * rng.normal())
  const ids = Array.from({ length: 20_000 }, (_, i) => String(i))
  const index = createIndex({ dim: 300, backend }).add(matrix(20_000, 300, drawn(6_000_000)), ids)
  const queries = matrix(64, 300, drawn(64 * 300))
  const pcm = drawn(441_000, 0.1)
  const ours = {
    search: () => index.search(queries, { k: 10 }),
    resample: () => resample(pcm, 44_100, 32_000, { backend }),
  }
  const other = spawn(python, [join(root, 'tools/compare/search_and_resample.py'), threads], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: other.stdout })[Symbol.asyncIterator]()
  const rows = ['| | Sonotext, ms | other, ms | times as fast |', '| --- | ---: | ---: | ---: |']
  for (const [what, library] of [
    ['search', 'faiss'],
    ['search', 'onnxruntime'],
    ['resample', 'soxr'],
  ]) {
    const times = { own: [], other: [] }
    let problem
    for (let round = -1; round < Number(rounds) && problem === undefined; round++) {
      await settle()
      const start = performance.now()
      await ours[what]()
      const own = performance.now() - start
      await settle()
      other.stdin.write(`${library}\n`)
      const answer = JSON.parse((await lines.next()).value)
      problem = answer.problem
      if (round >= 0) times.own.push(own)
      if (round >= 0) times.other.push(1000 * answer.seconds)
    }
    const [own, theirs] = [median(times.own), median(times.other)]
    rows.push(
      problem === undefined
        ? `| ${what}, ${library} | ${own.toFixed(2)} | ${theirs.toFixed(2)} | ${(theirs / own).toFixed(2)} |`
        : `| ${what}, ${library} | | not measured: ${problem} | |`,
    )
  }
  other.stdin.end()
  const problems = rows.filter((row) => row.includes('not measured'))
  if (problems.length > 0) process.exitCode = 1
  const text = `Medians of ${rounds} rounds in turns, ${threads} threads. The search: 64 queries over 20,000 vectors of 300, ten best; the resampling: 10 s from 44.1 to 32 kHz.\n\n${rows.join('\n')}\n\n${where}\n`
  writeFileSync(file('search-and-resample.md'), text)
  console.log(text)
  const what = 'a search beside faiss and onnxruntime, a resampling beside soxr'
  const ended = problems.length > 0 ? 'not all measured' : 'measured'
  done.push({ result: 'search-and-resample.md', what, ended })
}

const { environment, environmentLine } = await import('../../packages/bench/dist/harness/environment.js')
const where = `${environmentLine(environment())} (${load.toFixed(2)} at the start); ${versions}`
const size = quick ? ['--batch', '2', '--frames', '50'] : []
const training = ['--pytorch', python, '--threads', threads, '--rounds', quick ? '1' : '11', ...size]
const markdown = (name) => ['--markdown', file(name)]
suite('training', 'training-eager.md', 'a training step beside PyTorch', [
  ...training,
  ...markdown('training-eager.md'),
])
suite(
  'training',
  'training-compiled.md',
  'the same beside torch.compile',
  [...training, ...markdown('training-compiled.md')],
  { env: { SONOTEXT_TORCH_COMPILE: '1' } },
)
const features = ['--python', python, '--rounds', rounds, '--out', file('features.md')]
suite('features', 'features.md', 'log-mel features beside librosa and torch.stft', features)
await searchAndResample()
// The reports are appended to.
for (const name of ['noise.md', 'slowed.md']) writeFileSync(file(name), '')
const limits = quick ? ['--only', 'gemm', '--budget', '5'] : []
const noise = ['--noise', '--parts', 'time', ...limits, ...markdown('noise.md')]
suite('check', 'noise.md', 'the speed check on this tree as it is', noise, { good: [0, 3] })
const slowed = ['--noise', '--parts', 'time,instructions', '--slow', 'every', ...limits]
suite(
  'check',
  'slowed.md',
  'the speed check with every op a quarter slower: to be red',
  [...slowed, ...markdown('slowed.md')],
  { good: values.busy || quick ? [1, 3] : [1] },
)
const summary = [
  '# Measured again',
  quick || values.busy ? '**Not on a quiet machine, or with the smallest settings: no results.**' : '',
  where,
  '| file | what | |\n| --- | --- | --- |\n' +
    done.map(({ result, what, ended }) => `| [${result}](${result}) | ${what} | ${ended} |`).join('\n'),
]
writeFileSync(file('summary.md'), `${summary.filter((part) => part !== '').join('\n\n')}\n`)
console.log(summary.join('\n\n'))
