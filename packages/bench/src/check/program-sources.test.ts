import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { missing } from '../../../../tools/program.mjs'
import { hashOfSources, ofOtherSources } from './program-sources.js'
import { root } from './repository.js'

const package_ = join(root, 'packages', 'native-cuda')
const native = join(package_, 'native')
const folder = mkdtempSync(join(tmpdir(), 'sonotext-sources-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const noCMake = missing('cmake')
if (noCMake !== null) process.stderr.write(`program-sources: skipped, ${noCMake}\n`)

test.skipIf(noCMake !== null)('the build and the check compute one hash', () => {
  const out = join(folder, 'sources.hpp')
  const script = join(native, 'bench', 'sources.cmake')
  execFileSync('cmake', [`-DNATIVE=${native}`, `-DOUT=${out}`, '-P', script])
  expect(readFileSync(out, 'utf8')).toBe(`#define SONOTEXT_SOURCES "${hashOfSources(native)}"\n`)
})

test.skipIf(process.platform === 'win32')('a program of other sources is refused, and it is said why', () => {
  const program = join(folder, 'instructions')
  const says = (text: string) => {
    writeFileSync(program, `#!/bin/sh\n${text}\n`)
    chmodSync(program, 0o755)
    return ofOtherSources(program, package_)
  }
  expect(says(`echo ${hashOfSources(native)}`)).toBeNull()
  expect(says('echo 0123')).toMatch(/built from other sources than .*npm run setup/)
  // One that was built before it could say so.
  expect(says('echo "usage: instructions CALLS ISA" >&2; exit 2')).toMatch(/built from other sources/)
  expect(ofOtherSources(program, folder)).toBeNull()
})

test('a changed kernel, a new one and other flags change the hash, the addon does not', () => {
  const copy = join(folder, 'package', 'native')
  for (const part of ['core', 'cpu', 'bench', 'napi'])
    cpSync(join(native, part), join(copy, part), { recursive: true })
  cpSync(join(package_, 'CMakeLists.txt'), join(copy, '..', 'CMakeLists.txt'))
  const before = hashOfSources(copy)
  expect(before).toBe(hashOfSources(native))
  const changed = (file: string, add: string): boolean => {
    const at = join(copy, file)
    const was = readFileSync(at)
    writeFileSync(at, was + add)
    const differs = hashOfSources(copy) !== before
    writeFileSync(at, was)
    return differs
  }
  expect(changed('cpu/resolve.cpp', '\n')).toBe(true)
  expect(changed('../CMakeLists.txt', '\n')).toBe(true)
  expect(changed('napi/addon.cpp', '\n')).toBe(false)
  mkdirSync(join(copy, 'cpu', 'more'))
  writeFileSync(join(copy, 'cpu', 'more', 'kernel.hpp'), '')
  expect(hashOfSources(copy)).not.toBe(before)
})
