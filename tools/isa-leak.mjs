#!/usr/bin/env node
// Kernels of every instruction set are compiled from the same sources. If one of those objects defines a function that the
// linker may share between files (a weak symbol: an inline function or template with external linkage), the copy compiled
// for AVX-512 can end up being the one that the baseline calls, and an older CPU dies of it. So those objects may define
// nothing but their tables and their probe. The check's planted faults are looked for on every run.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { missing } from './program.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const build = join(root, 'packages', 'native-cuda', 'build')

/** Names in `nm -C` output that other files can see, except the tables and the probe. */
export function leaks(listing) {
  return listing
    .split('\n')
    .map((line) => /^[0-9a-f]+ ([A-Zu]) (.+)$/.exec(line.trim()))
    .filter(
      (match) =>
        match !== null && match[1] !== 'U' && !/^sonotext::\w+::(table|table_bf16|probe)$/.test(match[2]),
    )
    .map((match) => match[2])
}

function selfTest() {
  const fine = '0000000000000000 t sonotext::avx2::(anonymous namespace)::gemm\n                 U memcpy\n'
  const table = '0000000000000000 D sonotext::avx2::table\n'
  const missed = []
  if (leaks(fine + table).length !== 0) missed.push('(a clean object reported)')
  if (leaks(`${fine}0000000000000000 W float std::max<float>(float const&, float const&)\n`).length !== 1)
    missed.push('a shared template')
  if (leaks(`${fine}0000000000000000 T sonotext::avx2::helper(float)\n`).length !== 1)
    missed.push('a function with external linkage')
  return missed
}

function objects() {
  if (!existsSync(build)) return []
  return readdirSync(build, { recursive: true, withFileTypes: true })
    .filter(
      (entry) => entry.isFile() && /(^|-)(scalar|avx2|avx512|avx512bf16|neon)\.(cpp\.)?o$/.test(entry.name),
    )
    .map((entry) => join(entry.parentPath, entry.name))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const missed = selfTest()
  for (const fault of missed) console.error(`isa-leak: planted fault not caught: ${fault}`)
  const skip = missing('nm')
  const files = skip === null ? objects() : []
  let problems = 0
  for (const file of files) {
    for (const name of leaks(execFileSync('nm', ['-C', file], { encoding: 'utf8', maxBuffer: 1 << 28 }))) {
      console.error(`isa-leak: ${relative(root, file)} defines ${name}, which other files can see`)
      problems++
    }
  }
  if (missed.length + problems > 0) process.exit(1)
  console.log(
    files.length === 0
      ? `isa-leak: skipped, ${skip ?? 'the build left no objects here'}`
      : `isa-leak: ${files.length} objects define their tables and nothing else, planted faults were caught`,
  )
}
