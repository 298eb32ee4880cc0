#!/usr/bin/env node
// Measures the claims of docs/results again, beside the libraries they name, on a machine that does nothing else:
//
//   node tools/compare/remeasure.mjs --python /path/to/python [--threads 2] [--out build/remeasured] [--busy]
//
// The Python needs torch, librosa, faiss-cpu, onnxruntime, onnx and soxr; what it lacks is said in its place. A load of 0.5 or more at the
// start is refused, unless --busy says that the numbers are for trying this program only.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
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
  },
})

const [load] = loadavg()
if (load >= 0.5 && !values.busy) {
  console.error(
    `The load of this machine is ${load.toFixed(2)}: what is measured now would be no result. Wait, or --busy.`,
  )
  process.exit(2)
}
if (values.python === undefined) {
  console.error('Expected --python /path/to/python with the libraries to compare with.')
  process.exit(2)
}
mkdirSync(values.out, { recursive: true })

function suite(name, args, env = {}) {
  const program = join(root, 'packages', 'bench', 'dist', 'run-suite.js')
  const { status } = spawnSync(process.execPath, [program, name, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: 'inherit',
  })
  if (status !== 0) console.error(`${name} ended with ${status}`)
}

const median = (times) => [...times].sort((a, b) => a - b)[times.length >> 1]

/** Searches and resampling of both sides in turns; a line of the table each. */
async function searchAndResample() {
  const { createIndex, matrix, openBackend, resample, Rng } = await import('@sonotext/core')
  const backend = openBackend({ threads: Number(values.threads) })
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
  const python = spawn(values.python, [join(root, 'tools/compare/search_and_resample.py'), values.threads], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]()
  const rows = ['| | Sonotext, ms | other, ms | times as fast |', '| --- | ---: | ---: | ---: |']
  for (const [what, other] of [
    ['search', 'faiss'],
    ['search', 'onnxruntime'],
    ['resample', 'soxr'],
  ]) {
    const times = { own: [], other: [] }
    let problem
    for (let round = -1; round < Number(values.rounds) && problem === undefined; round++) {
      const start = performance.now()
      await ours[what]()
      const own = performance.now() - start
      python.stdin.write(`${other}\n`)
      const answer = JSON.parse((await lines.next()).value)
      problem = answer.problem
      if (round >= 0) times.own.push(own)
      if (round >= 0) times.other.push(1000 * answer.seconds)
    }
    const [own, theirs] = [median(times.own), median(times.other)]
    rows.push(
      problem === undefined
        ? `| ${what}, ${other} | ${own.toFixed(2)} | ${theirs.toFixed(2)} | ${(theirs / own).toFixed(2)} |`
        : `| ${what}, ${other} | | not measured: ${problem} | |`,
    )
  }
  python.stdin.end()
  const text = `Load at the start ${load.toFixed(2)}, ${values.threads} threads, medians of ${values.rounds} rounds in turns.\n\n${rows.join('\n')}\n`
  writeFileSync(join(values.out, 'search-and-resample.md'), text)
  console.log(text)
}

const file = (name) => join(values.out, name)
const { python, threads } = values
suite('training', ['--pytorch', python, '--threads', threads, '--markdown', file('training-eager.md')])
suite('training', ['--pytorch', python, '--threads', threads, '--markdown', file('training-compiled.md')], {
  SONOTEXT_TORCH_COMPILE: '1',
})
suite('features', ['--python', python, '--out', file('features.md')])
await searchAndResample()
suite('check', ['--noise', '--parts', 'time', '--markdown', file('noise.md')])
suite('check', [
  '--noise',
  '--parts',
  'time,instructions',
  '--slow',
  slowEverything(),
  '--markdown',
  file('slowed.md'),
])

/** Every op a quarter slower: all of them are to be red on a quiet machine. */
function slowEverything() {
  const program = `import('@sonotext/core/backend').then(({ signatures }) => console.log(Object.keys(signatures).join()))`
  return spawnSync(process.execPath, ['-e', program], { cwd: root, encoding: 'utf8' }).stdout.trim()
}
