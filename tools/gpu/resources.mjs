#!/usr/bin/env node
// What every CUDA kernel takes of a multiprocessor, into docs/results/cuda-resources.md: registers, spills and shared memory as
// ptxas reports them, and the occupancy that follows. Needs nvcc and c++filt, no GPU.
//
//   node tools/gpu/resources.mjs [--build FOLDER]      exit 1 when a kernel spills registers or has a stack frame
//
// Reports are kept in build/resources: a second run compiles what changed. --build takes them from a build of the addon by ninja without ccache,
// configured with -DCMAKE_CUDA_FLAGS="-Xptxas=-v --keep --keep-dir FOLDER", for 80-real and 90a-real and others, its output in FOLDER/log.txt.
import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { pathToFileURL, fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import * as prettier from 'prettier'
import { findProgram } from '../../packages/native-cuda/compile/program.mjs'
import { architectures, occupancy } from './occupancy.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const kernelFolder = join(root, 'packages/native-cuda/native/cuda/kernels')
const page = join(root, 'docs/results/cuda-resources.md')
const flags = ['-std=c++17', '-O3', '-DNDEBUG', '-Xptxas=-v']

/** Symbol → what ptxas -v says of the kernel for an architecture. */
export function reported(text, architecture) {
  const kernels = new Map()
  let current
  for (const line of text.split('\n')) {
    const [, symbol, target] = /Compiling entry function '(\w+)' for '(\w+)'/.exec(line) ?? []
    if (target === architecture)
      kernels.set(symbol, (current = { spilled: 0, stack: 0, registers: 0, sharedBytes: 0 }))
    else if (target !== undefined) current = undefined
    if (current === undefined) continue
    const number = (pattern) => Number(pattern.exec(line)?.[1] ?? 0)
    current.stack += number(/(\d+) bytes stack frame/)
    current.spilled += number(/(\d+) bytes spill stores/) + number(/(\d+) bytes spill loads/)
    current.registers += number(/Used (\d+) registers/)
    current.sharedBytes += number(/(\d+) bytes smem/)
  }
  return kernels
}

/** Symbol → { threads of a block, or undefined where no bound is stated; dynamic: takes shared memory at the launch }. */
export function stated(ptx) {
  const kernels = new Map()
  for (const [, symbol, bounds, body] of ptx.matchAll(/\.entry (\w+)\([^)]*\)([^{]*)\{([\s\S]*?)\n\}/g)) {
    const threads = /\.maxntid (\d+)/.exec(bounds)
    kernels.set(symbol, {
      threads: threads === null ? undefined : Number(threads[1]),
      dynamic: body.includes('sonotext_shared'),
    })
  }
  return kernels
}

/** "void sonotext::cuda::(anonymous namespace)::f<4>(int)" → "f<4>". */
export function shortName(demangled) {
  let name = demangled
    .replaceAll('(anonymous namespace)::', '')
    .replaceAll('sonotext::cuda::', '')
    .replace(/^void /, '')
  name = name.replaceAll(/\((?:int|bool)\)/g, '') // older c++filt writes the type of a template's value
  let depth = 0
  for (let i = 0; i < name.length; i += 1) {
    if (name[i] === '<') depth += 1
    if (name[i] === '>') depth -= 1
    if (name[i] === '(' && depth === 0) return name.slice(0, i)
  }
  return name
}

async function compiled(file, architecture, keep) {
  const virtual = architecture.replace('sm_', 'compute_')
  const output = join(keep, `${basename(file, '.cu')}.cubin`)
  const { stderr } = await promisify(execFile)(
    'nvcc',
    [
      ...flags,
      `-gencode=arch=${virtual},code=${architecture}`,
      '--keep',
      '--keep-dir',
      keep,
      '-cubin',
      '-o',
      output,
      join(kernelFolder, file),
    ],
    { maxBuffer: 1 << 28 },
  )
  const ptx = readdirSync(keep).find(
    (name) => name.startsWith(basename(file, '.cu')) && name.endsWith('.ptx'),
  )
  return together(stderr, architecture, join(keep, ptx))
}

function together(report, architecture, ptx) {
  const more = stated(readFileSync(ptx, 'utf8'))
  return [...reported(report, architecture)].map(([symbol, numbers]) => [
    symbol,
    { ...numbers, ...more.get(symbol) },
  ])
}

/** What ninja printed when it had compiled a file. */
export function saidOf(log, file) {
  const parts = log.split(/^(?=\[\d+\/\d+\] )/m)
  return parts.find((part) => /^.* Building CUDA object .*/.exec(part)?.[0].endsWith(`/${file}.o`))
}

/** The same as {@link compiled}, from a build that kept it. */
function built(file, architecture, folder) {
  const said = saidOf(readFileSync(join(folder, 'log.txt'), 'utf8'), file)
  const ptx = join(folder, `${basename(file, '.cu')}.${architecture.replace('sm_', 'compute_')}.ptx`)
  if (said === undefined || !existsSync(ptx)) throw new Error(`${folder} has no ${file} for ${architecture}.`)
  const { mtimeMs } = statSync(ptx)
  const later = [...sources(join(kernelFolder, file)).keys()].find((path) => statSync(path).mtimeMs > mtimeMs)
  if (later !== undefined) throw new Error(`${later} is newer than ${ptx}.`)
  return together(said, architecture, ptx)
}

/** The text of a source and of every file of ours that it includes. */
function sources(path, seen = new Map()) {
  if (seen.has(path) || !existsSync(path)) return seen
  const text = readFileSync(path, 'utf8')
  seen.set(path, text)
  for (const [, name] of text.matchAll(/^#include "(.+)"/gm)) sources(resolve(dirname(path), name), seen)
  return seen
}

/** The kernels of a file, compiled now or before, or by the build in `from`. */
async function known(file, architecture, nvcc, from) {
  const hash = createHash('sha256').update(`${nvcc} ${flags.join(' ')}`)
  for (const text of sources(join(kernelFolder, file)).values()) hash.update(text)
  const kept = join(
    root,
    'build/resources',
    `${file}.${architecture}.${hash.digest('hex').slice(0, 16)}.json`,
  )
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8'))
  const keep = mkdtempSync(join(tmpdir(), 'sonotext-ptx-'))
  try {
    const kernels =
      from === undefined ? await compiled(file, architecture, keep) : built(file, architecture, from)
    mkdirSync(dirname(kept), { recursive: true })
    writeFileSync(kept, JSON.stringify(kernels))
    return kernels
  } finally {
    rmSync(keep, { recursive: true })
  }
}

async function kernelsOf(file, nvcc, from) {
  const all = []
  for (const architecture of architectures) {
    for (const [symbol, kernel] of await known(file, architecture, nvcc, from))
      all.push({ symbol, architecture, kernel })
  }
  if (all.length === 0) return []
  const names = execFileSync(
    'c++filt',
    all.map(({ symbol }) => symbol),
    { encoding: 'utf8' },
  )
    .trim()
    .split('\n')
  return merged(all.map((one, index) => ({ ...one, name: names[index] }))).map((row) => ({ ...row, file }))
}

/**
 * One row a kernel: { name, sm_80: {…}, sm_90a: {…} }. A symbol has the hash of its compilation in it, another for every architecture, so
 * kernels are told by their whole names in words.
 */
export function merged(all) {
  const rows = new Map()
  for (const { name, architecture, kernel } of all) {
    rows.set(name, { ...rows.get(name), name: shortName(name), [architecture]: kernel })
  }
  return [...rows.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

function cells(architecture, kernel) {
  if (kernel === undefined) return ['', '', '']
  const { threads, dynamic, registers, sharedBytes } = kernel
  const share = threads === undefined ? '' : `${Math.round(100 * occupancy(architecture, kernel))} %`
  return [
    registers,
    `${sharedBytes}${dynamic ? ' + launch' : ''}`,
    dynamic && share !== '' ? `≤ ${share}` : share,
  ]
}

function lostOf(row) {
  const of = architectures
    .filter((name) => row[name]?.spilled > 0 || row[name]?.stack > 0)
    .map((name) => `${name} ${row[name].spilled} (stack ${row[name].stack})`)
  return `- ${basename(row.file, '.cu')}, \`${row.name}\`: ${of.join(', ')}`
}

/** The page. */
export function pageOf(rows, nvcc) {
  const lost = rows.filter((row) =>
    architectures.some((name) => row[name]?.spilled > 0 || row[name]?.stack > 0),
  )
  const head = architectures.flatMap((name) => [`registers ${name}`, 'shared memory', 'occupancy'])
  const table = [
    ['op', 'kernel', 'threads', ...head],
    ['---', '---', '---:', ...head.map(() => '---:')],
    ...rows.map((row) => [
      basename(row.file, '.cu'),
      `\`${row.name}\``,
      architectures.map((name) => row[name]?.threads).find((threads) => threads !== undefined) ?? '',
      ...architectures.flatMap((name) => cells(name, row[name])),
    ]),
  ]
  return `# Resources of the CUDA kernels

Written by \`node tools/gpu/resources.mjs\` with nvcc ${nvcc}: what ptxas reports of every kernel, and the share of a multiprocessor's
2,048 threads that it can hold at once (65,536 registers, 64 warps, 32 blocks, 164 KB of shared memory at 8.0 and 228 KB at 9.0). Shared
memory in bytes of a block; "+ launch" is what a launch asks for besides, which the occupancy leaves out. Kernels without a stated number of
threads have no occupancy here. Not measured: no GPU is needed.

${
  lost.length === 0
    ? `None of the ${rows.length} kernels spills registers or has a stack frame.`
    : `Spills or stack frames of ${lost.length} of the ${rows.length} kernels, as bytes that one thread stores and loads in all:\n\n${lost.map(lostOf).join('\n')}`
}

${table.map((row) => `| ${row.join(' | ')} |`).join('\n')}
`
}

async function main() {
  const { values } = parseArgs({ options: { build: { type: 'string' } } })
  for (const program of ['nvcc', 'c++filt']) {
    if (findProgram(program) === undefined) throw new Error(`There is no ${program} in PATH.`)
  }
  const version = /release ([\d.]+)/.exec(execFileSync('nvcc', ['--version'], { encoding: 'utf8' }))[1]
  const files = readdirSync(kernelFolder)
    .filter((name) => name.endsWith('.cu'))
    .sort()
  const results = new Map()
  const queue = [...files]
  const worker = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift())
      results.set(file, await kernelsOf(file, version, values.build))
  }
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), files.length) }, worker))
  const rows = files.flatMap((file) => results.get(file))
  const options = JSON.parse(readFileSync(join(root, '.prettierrc.json'), 'utf8'))
  const text = await prettier.format(pageOf(rows, version), { ...options, filepath: page })
  writeFileSync(page, text)
  console.log(text.split('\n').find((line) => /^None of|^Spills/.test(line)))
  if (!text.includes('None of the')) process.exitCode = 1
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main()
