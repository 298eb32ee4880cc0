/**
 * Keeps packages/native-cuda/src/gpu-runs.json, which says of every op whether its CUDA kernel has run on a real GPU:
 *
 *     node tools/gpu/record.mjs FOLDER      takes over what tools/gpu/run.sh wrote into FOLDER
 *     node tools/gpu/record.mjs --check     fails where `current` is not what the sources say
 *     node tools/gpu/record.mjs             mends `current`
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const cuda = join(root, 'packages/native-cuda/native/cuda')
const file = join(root, 'packages/native-cuda/src/gpu-runs.json')

/** The text of a source and of every header of the folder that it includes, directly or not. */
function sourcesOf(path, seen = new Set()) {
  if (seen.has(path)) return ''
  seen.add(path)
  const text = readFileSync(path, 'utf8')
  const included = [...text.matchAll(/#include "([^"]+)"/g)].map(([, name]) => join(path, '..', name))
  return (
    text +
    included
      .filter((name) => name.startsWith(cuda))
      .map((name) => sourcesOf(name, seen))
      .join('')
  )
}

/** Op → hash of the file that defines its entry, with what that includes. */
const hashes = new Map(
  readdirSync(join(cuda, 'kernels')).flatMap((name) => {
    const path = join(cuda, 'kernels', name)
    const hash = createHash('sha256').update(sourcesOf(path)).digest('hex').slice(0, 16)
    const defined = readFileSync(path, 'utf8').matchAll(/^Status (\w+)\(const \w+Args& \w+, Exec& \w+\) \{/gm)
    return [...defined].map(([, op]) => [op, hash])
  }),
)

/** Ops whose cases all agreed, and at least one: from the table that `conformance` prints. */
export function agreed(table, ops) {
  const rows = table.split('\n').filter((line) => / (ok|DIFFERS)$/.test(line) || line.includes(' FAILED on '))
  let name = ''
  const good = new Map()
  for (const row of rows) {
    if (!row.startsWith(' ')) name = row
    for (const op of ops) {
      const both = name.startsWith('gru and backward') && op.startsWith('gru')
      if (!both && !name.startsWith(`${op} `)) continue
      good.set(op, (good.get(op) ?? true) && row.endsWith(' ok'))
    }
  }
  return [...good].filter(([, ok]) => ok).map(([op]) => op)
}

/** The names of the table, from the file that is generated from its one statement. */
function opNames() {
  const text = readFileSync(join(root, 'packages/native-cuda/native/core/ops.hpp'), 'utf8')
  return [...text.matchAll(/^ {2}X\((\w+), \w+Args\)/gm)].map(([, name]) => name)
}

function main([argument]) {
  const before = readFileSync(file, 'utf8')
  const runs = JSON.parse(before)
  if (argument !== undefined && argument !== '--check') {
    const machine = readFileSync(join(argument, 'machine.txt'), 'utf8').split('\n')
    const [card] = machine[0].split(',')
    const commit = machine.find((line) => line.startsWith('commit ')).slice('commit '.length)
    const date = new Date().toISOString().slice(0, 10)
    for (const op of agreed(readFileSync(join(argument, 'conformance.txt'), 'utf8'), opNames())) {
      runs[op] = { card, commit, date, sources: hashes.get(op) }
    }
  }
  for (const [op, run] of Object.entries(runs)) run.current = hashes.get(op) === run.sources
  const sorted = Object.fromEntries(Object.entries(runs).sort(([a], [b]) => (a < b ? -1 : 1)))
  const after = `${JSON.stringify(sorted, null, 2)}\n`
  if (argument !== '--check') writeFileSync(file, after)
  else if (after !== before) {
    console.error('gpu-runs.json: the CUDA sources changed since; run node tools/gpu/record.mjs')
    process.exitCode = 1
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2))
