/**
 * Keeps packages/native-cuda/src/gpu-runs.json, which says of every op whether its CUDA kernel has run on a real GPU:
 *
 *     node tools/gpu/record.mjs FOLDER               takes over what tools/gpu/run.sh wrote into FOLDER
 *     node tools/gpu/record.mjs --same-code COMMIT   of the ops whose sources ran as they are at COMMIT, keeps those as current whose sources
 *                                                    differ in comments alone, or whose kernels there are, compiled for sm_90a from both, to the
 *                                                    byte, or that have none and start those of other files; the host's side is for who runs this
 *                                                    to read. Needs nvcc
 *     node tools/gpu/record.mjs --check              fails where `current` is not what the sources say
 *     node tools/gpu/record.mjs                      mends `current`
 */
import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { compareCode, machineCode, withoutComments } from './machine-code.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const native = 'packages/native-cuda/native'
const file = join(root, 'packages/native-cuda/src/gpu-runs.json')

/** The text of a source and of every header of the folder that it includes, directly or not. */
function sourcesOf(path, cuda, seen = new Set()) {
  if (seen.has(path)) return ''
  seen.add(path)
  const text = readFileSync(path, 'utf8')
  const included = [...text.matchAll(/#include "([^"]+)"/g)].map(([, name]) => join(path, '..', name))
  return (
    text +
    included
      .filter((name) => name.startsWith(cuda))
      .map((name) => sourcesOf(name, cuda, seen))
      .join('')
  )
}

const hashOf = (text) => createHash('sha256').update(text).digest('hex').slice(0, 16)

/** Op → the file that defines its entry, the text of that with what it includes, and its hash. */
function opsOf(checkout) {
  const cuda = join(checkout, native, 'cuda')
  return new Map(
    readdirSync(join(cuda, 'kernels')).flatMap((name) => {
      const path = join(cuda, 'kernels', name)
      const text = sourcesOf(path, cuda)
      const source = { path, name, text, hash: hashOf(text) }
      const defined = readFileSync(path, 'utf8').matchAll(
        /^Status (\w+)\(const \w+Args& \w+, Exec& \w+\) \{/gm,
      )
      return [...defined].map(([, op]) => [op, source])
    }),
  )
}

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
  const text = readFileSync(join(root, native, 'core/ops.hpp'), 'utf8')
  return [...text.matchAll(/^ {2}X\((\w+), \w+Args\)/gm)].map(([, name]) => name)
}

/** Kept in build/same-code: it may take minutes. */
async function compiled({ path, name }, nvcc) {
  const everything = sourcesOf(path, join(path, '../../..'))
  const kept = join(root, 'build/same-code', `${name}.${hashOf(nvcc + everything)}.cubin`)
  if (!existsSync(kept)) {
    mkdirSync(join(kept, '..'), { recursive: true })
    const flags = ['-std=c++17', '-O3', '-DNDEBUG', '-gencode=arch=compute_90a,code=sm_90a', '-cubin']
    const output = `${kept}.${process.pid}`
    await promisify(execFile)('nvcc', [...flags, '-o', output, path], { maxBuffer: 1 << 28 })
    renameSync(output, kept)
  }
  return machineCode(readFileSync(kept))
}

const butForComments = 'sources but for comments'

/** What two versions of a source have in common, as words; null with a reason on the console where it is not all that ran. */
async function inCommon(before, after, nvcc) {
  if (withoutComments(before.text) === withoutComments(after.text)) return butForComments
  const both = await Promise.all([before, after].map((source) => compiled(source, nvcc)))
  if (both.every(({ kernels }) => kernels.size === 0)) return 'no kernels of its own'
  const code = compareCode(...both)
  console.log(
    `${after.name}: ${code.kernels} kernels, ${code.renamed} of another name, ${code.changed.length} not the same`,
  )
  for (const name of code.changed) console.log(`  ${name}`)
  return code.changed.length === 0 && code.kernels > 0
    ? `machine code of all ${code.kernels} kernels for sm_90a by nvcc ${nvcc}`
    : null
}

/** Takes over the hashes of the sources as they are now, with what they have in common with those that ran. */
async function keepSame(runs, commit, ops) {
  const nvcc = /release [\d.]+, V([\d.]+)/.exec(execFileSync('nvcc', ['--version'], { encoding: 'utf8' }))[1]
  const folder = mkdtempSync(join(tmpdir(), 'sonotext-same-code-'))
  try {
    const archive = execFileSync('git', ['-C', root, 'archive', commit, native], { maxBuffer: 1 << 28 })
    execFileSync('tar', ['-x', '-C', folder], { input: archive })
    const found = new Map()
    for (const [op, before] of opsOf(folder)) {
      const [run, after] = [runs[op], ops.get(op)]
      if (
        run === undefined ||
        after === undefined ||
        run.sources !== before.hash ||
        before.hash === after.hash
      )
        continue
      if (!found.has(after.name)) found.set(after.name, await inCommon(before, after, nvcc))
      const same = found.get(after.name)
      const said = run.same !== undefined && run.same !== butForComments ? run.same : same // kernels that came since did not run
      if (same !== null) runs[op] = { ...run, sources: after.hash, same: said }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function main([argument, commit]) {
  const before = readFileSync(file, 'utf8')
  const runs = JSON.parse(before)
  const ops = opsOf(root)
  if (argument === '--same-code') {
    await keepSame(runs, commit, ops)
  } else if (argument !== undefined && argument !== '--check') {
    const machine = readFileSync(join(argument, 'machine.txt'), 'utf8').split('\n')
    const [card] = machine[0].split(',')
    const ran = machine.find((line) => line.startsWith('commit ')).slice('commit '.length)
    const date = new Date().toISOString().slice(0, 10)
    for (const op of agreed(readFileSync(join(argument, 'conformance.txt'), 'utf8'), opNames())) {
      runs[op] = { card, commit: ran, date, sources: ops.get(op).hash }
    }
  }
  for (const [op, run] of Object.entries(runs)) run.current = ops.get(op)?.hash === run.sources
  const sorted = Object.fromEntries(Object.entries(runs).sort(([a], [b]) => (a < b ? -1 : 1)))
  const after = `${JSON.stringify(sorted, null, 2)}\n`
  if (argument !== '--check') writeFileSync(file, after)
  else if (after !== before) {
    console.error('gpu-runs.json: the CUDA sources changed since; run node tools/gpu/record.mjs')
    process.exitCode = 1
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2))
