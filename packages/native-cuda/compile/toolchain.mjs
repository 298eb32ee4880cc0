// What this machine has to build the addon with, and what is too old or missing.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { findProgram } from './program.mjs'
import { SetupError } from './run.mjs'

/** The oldest compilers whose C++20 is enough. */
const oldest = { GCC: 11, Clang: 14 }

const howToInstall = [
  `Install one that knows C++20 (GCC ${oldest.GCC}, Clang ${oldest.Clang} or newer), and CMake where you can, then run the same command again:`,
  '  Debian, Ubuntu  sudo apt install g++ cmake',
  '  Fedora          sudo dnf install gcc-c++ cmake',
  '  macOS           xcode-select --install',
  '  Windows         Visual Studio with "C++ Clang tools for Windows" (clang-cl), in a developer prompt',
].join('\n')

/** There is no compiler, or none that is new enough: whoever can do without the addon may go on. */
export class NoCompilerError extends SetupError {}

/** nvcc of PATH, CUDA_HOME, CUDA_PATH or /usr/local/cuda; undefined also when SONOTEXT_CUDA=0 forbids it. */
export function findNvcc(env = process.env) {
  if (env.SONOTEXT_CUDA === '0') return undefined
  const homes = [env.CUDA_HOME, env.CUDA_PATH, '/usr/local/cuda'].filter((home) => home)
  const inHomes = homes.map((home) => join(home, 'bin', 'nvcc')).find((path) => existsSync(path))
  return findProgram('nvcc', env) ?? inHomes
}

/** What decides a build: the way, the compilers and their versions. Throws {@link NoCompilerError}. */
export function describeTools(folder, env) {
  const compiler = describeCompiler(env)
  const cmake = findProgram('cmake', env)
  const gyp =
    packagePath(folder, 'node-gyp') !== undefined &&
    findProgram('python3', env) !== undefined &&
    findProgram('make', env) !== undefined
  const wanted = env.SONOTEXT_BUILD ?? (cmake ? 'cmake' : gyp ? 'gyp' : 'direct')
  if (!['cmake', 'gyp', 'direct'].includes(wanted)) {
    throw new SetupError(
      `Unknown SONOTEXT_BUILD "${wanted}".`,
      'Use cmake, gyp or direct, or leave it unset.',
    )
  }
  // node-gyp's makefiles take a path apart at its blanks.
  const way = wanted === 'gyp' && /\s/.test(folder) ? 'direct' : wanted
  const nvcc = way === 'cmake' ? findNvcc(env) : undefined
  return {
    way,
    compiler,
    nvcc: nvcc ?? null,
    nvccVersion: nvcc === undefined ? null : (lastLine(nvcc, ['--version']) ?? null),
    target: `${process.platform}-${process.arch}`,
    flags: [env.CXXFLAGS ?? '', env.LDFLAGS ?? ''],
    packages: ['node-addon-api', 'node-api-headers', 'cmake-js'].flatMap((name) => {
      const path = packagePath(folder, name)
      return path === undefined ? [] : [`${name}@${createRequire(path)(path).version}`]
    }),
  }
}

/** package.json of a package that `folder` can import, or undefined. */
export function packagePath(folder, name) {
  try {
    return createRequire(join(folder, 'package.json')).resolve(`${name}/package.json`)
  } catch {
    return undefined
  }
}

function describeCompiler(env) {
  const names = process.platform === 'win32' ? ['clang-cl'] : ['c++', 'g++', 'clang++']
  const compiler = env.CXX ?? names.find((name) => findProgram(name, env))
  const ask = process.platform === 'win32' ? ['--version'] : ['-dumpfullversion', '-dumpversion']
  const version = compiler === undefined ? undefined : lastLine(compiler, ask)
  if (version === undefined) {
    throw new NoCompilerError(
      `No C++ compiler was found${env.CXX ? ` (CXX is ${env.CXX})` : ''}.`,
      howToInstall,
    )
  }
  const problem = tooOld(lastLine(compiler, ['--version'], 'first') ?? '', version)
  if (problem !== undefined) throw new NoCompilerError(`${compiler} is ${problem}.`, howToInstall)
  return `${compiler} ${version}`
}

/** Says what a compiler is when it is too old: 'GCC 9.4.0, and C++20 needs GCC 11 or newer'; else undefined. */
export function tooOld(banner, version) {
  const family = /clang/i.test(banner)
    ? 'Clang'
    : /gcc|g\+\+|free software foundation/i.test(banner)
      ? 'GCC'
      : undefined
  const major = Number(/\d+/.exec(version)?.[0])
  if (family === undefined || !(major < oldest[family])) return undefined
  return `${family} ${version}, and C++20 needs ${family} ${oldest[family]} or newer`
}

function lastLine(command, args, which = 'last') {
  try {
    const lines = execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .trim()
      .split('\n')
    return which === 'first' ? lines[0] : lines.at(-1)
  } catch {
    return undefined
  }
}
