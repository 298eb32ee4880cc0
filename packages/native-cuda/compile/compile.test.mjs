import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { clear, isOfAnother } from './addon.mjs'
import { targetsOf } from './direct.mjs'
import { withLock } from './lock.mjs'
import { findProgram } from './program.mjs'
import { captured } from './run.mjs'
import { compareStamps, filesBelow, hashFiles, readStamp, writeStamp } from './stamp.mjs'
import { describeTools, findNvcc, NoCompilerError, tooOld } from './toolchain.mjs'

const folder = mkdtempSync(join(tmpdir(), 'sonotext-compile-'))
afterAll(() => rmSync(folder, { recursive: true }))
const native = dirname(import.meta.dirname)

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

it('a build that begins again leaves the addon of the one before until there is another', () => {
  const build = join(folder, 'again')
  const addon = join(build, 'Release', 'sonotext.node')
  const write = (...names) => {
    const file = join(build, ...names)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, '')
  }
  clear(build, addon) // not there yet
  write('Release', 'sonotext.node')
  write('Release', 'rest')
  write('CMakeFiles', 'deep', 'rest')
  write('CMakeCache.txt')
  clear(build, addon)
  expect(readdirSync(build, { recursive: true }).sort()).toEqual([
    'Release',
    join('Release', 'sonotext.node'),
  ])
})

it('a build that was copied with its clone is none of the copy', () => {
  const build = join(folder, 'copied')
  expect(isOfAnother(build, '/here')).toBe(false)
  mkdirSync(build)
  writeFileSync(join(build, 'CMakeCache.txt'), '# x\nCMAKE_HOME_DIRECTORY:INTERNAL=/here/a\n')
  expect(isOfAnother(build, '/here/a/')).toBe(false)
  expect(isOfAnother(build, '/here/b')).toBe(true)
})

describe('the toolchain', () => {
  it('find programs in PATH and nvcc in CUDA_HOME', () => {
    const bin = join(folder, 'cuda', 'bin')
    mkdirSync(bin, { recursive: true })
    writeFileSync(join(bin, 'nvcc'), '')
    expect(findProgram('nvcc', { PATH: `/nowhere:${bin}` })).toBe(join(bin, 'nvcc'))
    expect(findProgram('nvcc', { PATH: '/nowhere' })).toBeUndefined()
    expect(findNvcc({ PATH: '', CUDA_HOME: join(folder, 'cuda') })).toBe(join(bin, 'nvcc'))
    expect(findNvcc({ PATH: bin, SONOTEXT_CUDA: '0' })).toBeUndefined()
  })

  it('refuses a compiler that is too old by its version, and says which one is needed', () => {
    const gcc = 'g++ (Ubuntu 9.4.0-1ubuntu1) 9.4.0'
    expect(tooOld(gcc, '9.4.0')).toBe('GCC 9.4.0, and C++20 needs GCC 11 or newer')
    expect(
      tooOld('c++ (Debian 12.2.0-14) 12.2.0\nCopyright Free Software Foundation', '12.2.0'),
    ).toBeUndefined()
    expect(tooOld('Ubuntu clang version 13.0.1', '13.0.1')).toBe(
      'Clang 13.0.1, and C++20 needs Clang 14 or newer',
    )
    expect(tooOld('Apple clang version 15.0.0', '15.0.0')).toBeUndefined()
    expect(tooOld('some other compiler', '3')).toBeUndefined()
  })

  it.skipIf(process.platform === 'win32')(
    'says so of a real program, and where there is none (not on Windows)',
    () => {
      const old = join(folder, 'old-g++')
      writeFileSync(old, '#!/bin/sh\ncase $1 in --version) echo "g++ (GCC) 9.4.0";; *) echo 9.4.0;; esac\n', {
        mode: 0o755,
      })
      const error = (env) => {
        try {
          return describeTools(native, env)
        } catch (thrown) {
          return thrown
        }
      }
      expect(error({ PATH: '', CXX: old })).toBeInstanceOf(NoCompilerError)
      expect(error({ PATH: process.env.PATH, CXX: old }).message).toContain(
        'old-g++ is GCC 9.4.0, and C++20 needs GCC 11',
      )
      expect(error({ PATH: '' }).message).toBe('No C++ compiler was found.')
      expect(error({ PATH: '' }).remedy).toContain('apt install g++ cmake')
    },
  )
})

describe('the way to build', () => {
  it('is not node-gyp where the folder has a blank', () => {
    const way = (at) => describeTools(at, { ...process.env, SONOTEXT_BUILD: 'gyp' }).way
    expect(way(native)).toBe(/\s/.test(native) ? 'direct' : 'gyp')
    expect(way(join(folder, 'my path'))).toBe('direct')
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

describe('the recipes', () => {
  const recipe = JSON.parse(readFileSync(join(native, 'gyp', 'binding.gyp'), 'utf8'))
  const cmake = readFileSync(join(native, 'CMakeLists.txt'), 'utf8')

  it('compile the same sources with CMake, node-gyp and the compiler alone', () => {
    const gyp = ['x64', 'arm64'].flatMap((arch) =>
      targetsOf(recipe, { arch }).flatMap(({ sources }) =>
        sources.map((file) => file.replace('../native/', '')),
      ),
    )
    const listed = [...cmake.matchAll(/\$\{native\}\/([\w/]+\.cpp)/g)].map((match) => match[1])
    const cudaOnly = ['cuda/device.cpp', 'cuda/graphs.cpp', 'cuda/nccl.cpp', 'cuda/transfers.cpp']
    expect([...new Set(listed)].filter((file) => !cudaOnly.includes(file)).sort()).toEqual(
      [...new Set(gyp)].sort(),
    )
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

  it('have the instruction sets of the processor alone', () => {
    const sets = (arch) =>
      targetsOf(recipe, { arch }).flatMap(({ sources, defines }) => [
        ...sources.flatMap((file) => /isa\/(\w+)\.cpp$/.exec(file)?.[1] ?? []),
        ...defines.filter((name) => name.startsWith('SONOTEXT_HAS_')),
      ])
    const names = ['avx2', 'avx512', 'avx512bf16']
    const x64 = ['scalar', ...names.map((name) => `SONOTEXT_HAS_${name.toUpperCase()}`), ...names]
    expect(sets('x64')).toEqual(x64)
    expect(sets('arm64')).toEqual(['scalar', 'neon', 'SONOTEXT_HAS_NEON'])
    expect(sets('riscv64')).toEqual(['scalar'])
  })

  it('link the libraries of a system', () => {
    expect(targetsOf(recipe, { os: 'linux' })[0].libraries).toContain('-lpthread')
    expect(targetsOf(recipe, { os: 'win32' })[0].libraries).toEqual([])
  })
})
