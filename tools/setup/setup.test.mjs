import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { targetsOf } from './compile.mjs'
import { withLock } from './lock.mjs'
import { findProgram } from '../program.mjs'
import { findNvcc } from './native.mjs'
import { newEnough } from './node.mjs'
import { installedMatches } from './packages.mjs'
import { captured, inherited } from './run.mjs'
import { summaryOf } from './summary-reporter.mjs'
import { compareStamps, filesBelow, hashFiles, readStamp, writeStamp } from './stamp.mjs'

const folder = mkdtempSync(join(tmpdir(), 'sonotext-setup-'))
afterAll(() => rmSync(folder, { recursive: true }))
const native = resolve(import.meta.dirname, '../../packages/native-cuda')

describe('the stamp of a build', () => {
  const sources = join(folder, 'sources')
  mkdirSync(join(sources, 'deep'), { recursive: true })
  const write = (name, text) => writeFileSync(join(sources, name), text)
  write('a.cpp', 'one')
  write('deep/b.cpp', 'two')
  const hash = () => hashFiles(folder, filesBelow([sources]))

  it('depends on names and contents, not on times', () => {
    const before = hash()
    utimesSync(join(sources, 'a.cpp'), new Date(0), new Date(0))
    expect(hash()).toBe(before)
    write('a.cpp', 'ONE')
    expect(hash()).not.toBe(before)
    write('a.cpp', 'one')
    expect(hash()).toBe(before)
    write('c.cpp', '')
    expect(hash()).not.toBe(before)
    rmSync(join(sources, 'c.cpp'))
    write('a.cpp', 'onetwo')
    write('deep/b.cpp', '')
    expect(hash()).not.toBe(before)
  })

  it('asks for nothing, an incremental build or one from scratch', () => {
    const tools = { way: 'cmake', compiler: 'c++ 12', nvcc: null }
    const stamp = { tools, sources: 'x' }
    expect(compareStamps(undefined, stamp)).toBe('everything')
    expect(compareStamps(stamp, structuredClone(stamp))).toBe('nothing')
    expect(compareStamps(stamp, { tools, sources: 'y' })).toBe('changes')
    expect(compareStamps(stamp, { tools: { ...tools, nvcc: '/usr/bin/nvcc' }, sources: 'x' })).toBe(
      'everything',
    )
    expect(compareStamps(stamp, { tools: { ...tools, compiler: 'c++ 13' }, sources: 'x' })).toBe('everything')
  })

  it('is written and read back; a broken one counts as none', () => {
    const file = join(folder, 'build', 'stamp.json')
    expect(readStamp(file)).toBeUndefined()
    writeStamp(file, { tools: {}, sources: 'x' })
    expect(readStamp(file)).toEqual({ tools: {}, sources: 'x' })
    writeFileSync(file, '{"tools":')
    expect(readStamp(file)).toBeUndefined()
  })
})

describe('installed packages', () => {
  const core = { 'node_modules/@sonotext/core': { link: true, resolved: 'packages/core' } }
  const lock = {
    packages: {
      '': {},
      'packages/core': {},
      ...core,
      'node_modules/a': { version: '1.0.0' },
      'node_modules/only-mac': { version: '2.0.0', optional: true, os: ['darwin'] },
    },
  }
  const installed = (packages) => installedMatches(lock, { packages: { ...core, ...packages } })

  it('match when every needed version is there', () => {
    expect(installed({ 'node_modules/a': { version: '1.0.0' } })).toBe(true)
    expect(installed({ 'node_modules/a': { version: '1.0.1' } })).toBe(false)
    expect(installed({})).toBe(false)
    expect(installedMatches(lock, undefined)).toBe(false)
    const wanted = { 'node_modules/decoder': { version: '1.0.0', optional: true } }
    expect(installedMatches({ packages: wanted }, { packages: {} })).toBe(false)
    const stale = { 'node_modules/a': { version: '1.0.0' }, 'node_modules/only-mac': { version: '1.0.0' } }
    expect(installed(stale)).toBe(false)
  })

  it('match when every package of the workspace is linked to its folder', () => {
    const versions = { 'node_modules/a': { version: '1.0.0' } }
    expect(installedMatches(lock, { packages: versions })).toBe(false)
    const moved = { 'node_modules/@sonotext/core': { link: true, resolved: 'packages/core-ts' } }
    expect(installed({ ...versions, ...moved })).toBe(false)
  })
})

describe('tools', () => {
  it('know which Node is new enough', () => {
    for (const version of ['v22.13.0', 'v22.14.1', 'v24.0.0']) expect(newEnough(version)).toBe(true)
    for (const version of ['v20.19.0', 'v22.12.0', 'v18.0.0']) expect(newEnough(version)).toBe(false)
  })

  it('find programs in PATH and nvcc in CUDA_HOME', () => {
    const bin = join(folder, 'cuda', 'bin')
    mkdirSync(bin, { recursive: true })
    writeFileSync(join(bin, 'nvcc'), '')
    expect(findProgram('nvcc', { PATH: `/nowhere:${bin}` })).toBe(join(bin, 'nvcc'))
    expect(findProgram('nvcc', { PATH: '/nowhere' })).toBeUndefined()
    expect(findNvcc({ PATH: '', CUDA_HOME: join(folder, 'cuda') })).toBe(join(bin, 'nvcc'))
    expect(findNvcc({ PATH: bin, SONOTEXT_CUDA: '0' })).toBeUndefined()
  })
})

describe('commands', () => {
  const log = join(folder, 'log.txt')
  const node = (code, options = {}) =>
    captured(process.execPath, ['-e', code], { cwd: folder, log, ...options })

  it('leave their output in the log and show its end when they fail', async () => {
    expect(await node(`console.log('fine')`)).toBe('fine\n')
    const failing = node(`for (let i = 0; i < 100; i++) console.error('line', i); process.exit(3)`)
    await expect(failing).rejects.toThrow(/failed \(exit 3\)[\s\S]*line 99/)
    await expect(failing).rejects.not.toThrow(/line 10\n/)
    expect(readFileSync(log, 'utf8')).toContain('line 10\n')
    await expect(captured('/no/such/tool', [], { cwd: folder, log })).rejects.toThrow(
      /Could not start \/no\/such\/tool/,
    )
  })

  it('pass their exit code on', async () => {
    const options = { cwd: folder, env: process.env }
    expect(await inherited(process.execPath, ['-e', 'process.exit(7)'], options)).toBe(7)
    expect(await inherited(process.execPath, ['-e', 'process.kill(process.pid, "SIGTERM")'], options)).toBe(
      143,
    )
  })
})

describe('the lock', () => {
  const file = join(folder, 'locks', 'setup.lock')
  const quiet = { say: () => {}, interval: 5 }

  it('lets one work at a time and goes away, also after a failure', async () => {
    const events = []
    const job = (name) => async () => {
      events.push(`${name} begins`)
      await new Promise((done) => setTimeout(done, 20))
      events.push(`${name} ends`)
    }
    await Promise.all([withLock(file, quiet, job('a')), withLock(file, quiet, job('b'))])
    expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
    await expect(withLock(file, quiet, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await withLock(file, quiet, () => 7)).toBe(7)
  })

  it('is taken from a process that died', async () => {
    writeFileSync(file, '999999999')
    expect(await withLock(file, quiet, () => 'taken')).toBe('taken')
  })
})

describe('the summary', () => {
  const module = { type: 'module', relativeModuleId: 'a.test.ts', state: () => 'failed' }
  const suite = { type: 'suite', name: 'clips (no real data)', parent: module }
  const test = (state, name = 'x', parent = module, note) => ({
    type: 'test',
    name,
    parent,
    module,
    result: () => ({ state, note }),
  })
  const summary = (tests, errors = []) =>
    summaryOf([{ ...module, children: { allTests: () => tests } }], errors)

  it('counts tests and names every reason for a skip', () => {
    const tests = [
      test('passed'),
      test('passed'),
      test('failed'),
      test('skipped', 'y', suite),
      test('skipped', 'z (at least 3)', suite),
      test('skipped', 'z (skipped: no GPU)'),
      test('skipped', 'z', suite, 'noted'),
      test('pending', 'never run'),
    ]
    expect(summary(tests)).toEqual([
      'skipped 2: no real data',
      'skipped 1: no GPU',
      'skipped 1: noted',
      'skipped 1: a.test.ts gives no reason',
      '2 passed, 1 failed, 5 skipped',
    ])
  })

  it('counts a file that cannot be read, and errors outside of tests', () => {
    expect(summary([], [new Error('late')])).toEqual([
      '1 errors outside of tests',
      '0 passed, 1 failed, 0 skipped',
    ])
  })
})

describe('the recipes', () => {
  const recipe = JSON.parse(readFileSync(join(native, 'gyp', 'binding.gyp'), 'utf8'))
  const cmake = readFileSync(join(native, 'CMakeLists.txt'), 'utf8')

  it('compile the same sources with CMake, node-gyp and the compiler alone', () => {
    const gyp = targetsOf(recipe, { arch: 'x64' }).flatMap(({ sources }) =>
      sources.map((file) => file.replace('../native/', '')),
    )
    const listed = [...cmake.matchAll(/\$\{native\}\/([\w/]+\.cpp)/g)].map((match) => match[1])
    const cudaOnly = ['cuda/device.cpp', 'cuda/transfers.cpp']
    expect([...new Set(listed)].filter((file) => !cudaOnly.includes(file)).sort()).toEqual(gyp.sort())
  })

  it('compile an instruction set with the same flags', () => {
    for (const { name, flags } of targetsOf(recipe, { arch: 'x64' })) {
      const own = flags.filter((flag) => flag.startsWith('-m'))
      if (name === 'sonotext') expect(own).toEqual([])
      else expect(cmake).toContain(`_FLAGS ${own.join(' ')})`)
      expect(flags).toContain('-ffp-contract=off')
      expect(flags.join(' ')).not.toContain('fast-math')
    }
  })

  it('give Xcode and clang-cl the same flags: node-gyp passes neither what it passes GCC', () => {
    const { variables, target_defaults: common, conditions } = recipe
    const sets = conditions.flatMap(([, { targets }]) => targets)
    for (const target of [common, ...sets]) {
      expect(target.xcode_settings.OTHER_CPLUSPLUSFLAGS).toEqual(target.cflags_cc)
      const [forGcc] = target.cflags_cc
      const forClangCl = forGcc.replace('<@(', '<@(clang_cl_')
      expect(target.msvs_settings.VCCLCompilerTool.AdditionalOptions).toEqual([forClangCl])
    }
    const settings = { '-std=c++20': '/std:c++20', '-fexceptions': '/EHsc', '-frtti': '/GR' }
    const meaningless = ['-fPIC', '-fvisibility=hidden', '-fvisibility-inlines-hidden', '-DNDEBUG']
    for (const [name, flags] of Object.entries(variables).filter(([name]) => !name.startsWith('clang_cl_'))) {
      const wanted = flags
        .filter((flag) => !meaningless.includes(flag))
        .map((flag) => settings[flag] ?? `/clang:${flag}`)
      expect(variables[`clang_cl_${name}`]).toEqual(wanted)
    }
  })

  it('have no x86 sources on other processors', () => {
    const arm = targetsOf(recipe, { arch: 'arm64' })
    expect(arm.map(({ name }) => name)).toEqual(['sonotext'])
    expect(arm[0].defines).not.toContain('SONOTEXT_HAS_AVX2')
  })

  it('link the libraries of a system', () => {
    expect(targetsOf(recipe, { os: 'linux' })[0].libraries).toContain('-lpthread')
    expect(targetsOf(recipe, { os: 'win32' })[0].libraries).toEqual([])
  })
})
