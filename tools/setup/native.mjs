// Builds packages/native-cuda/build/Release/sonotext.node with what the machine has: CMake (with CUDA where there is nvcc),
// else node-gyp (needs Python and make), else the compiler alone.
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { findProgram } from '../program.mjs'
import { compileDirectly } from './compile.mjs'
import { layOutHeaders } from './headers.mjs'
import { captured, SetupError } from './run.mjs'
import { compareStamps, filesBelow, hashFiles, readStamp, writeStamp } from './stamp.mjs'

/** nvcc of PATH, CUDA_HOME, CUDA_PATH or /usr/local/cuda; undefined also when SONOTEXT_CUDA=0 forbids it. */
export function findNvcc(env = process.env) {
  if (env.SONOTEXT_CUDA === '0') return undefined
  const homes = [env.CUDA_HOME, env.CUDA_PATH, '/usr/local/cuda'].filter((home) => home)
  const inHomes = homes.map((home) => join(home, 'bin', 'nvcc')).find((path) => existsSync(path))
  return findProgram('nvcc', env) ?? inHomes
}

function firstLines(command, args, count = 1) {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .trim()
      .split('\n')
      .slice(-count)
      .join(' ')
  } catch {
    return undefined
  }
}

function describeTools(root, node, env) {
  const require = createRequire(join(root, 'package.json'))
  const version = (name) => require(`${name}/package.json`).version
  const names = process.platform === 'win32' ? ['clang-cl'] : ['c++', 'g++', 'clang++']
  const compiler = env.CXX ?? names.find((name) => findProgram(name, env))
  const ask = process.platform === 'win32' ? ['--version'] : ['-dumpfullversion', '-dumpversion']
  const compilerVersion = compiler === undefined ? undefined : firstLines(compiler, ask)
  if (compilerVersion === undefined) {
    throw new SetupError(
      `No C++ compiler was found${env.CXX ? ` (CXX is ${env.CXX})` : ''}.`,
      [
        'Install one that knows C++20 (GCC 11, Clang 14 or newer), and CMake where you can, then run the same command again:',
        '  Debian, Ubuntu  sudo apt install g++ cmake',
        '  Fedora          sudo dnf install gcc-c++ cmake',
        '  macOS           xcode-select --install',
        '  Windows         Visual Studio with "C++ Clang tools for Windows" (clang-cl), in a developer prompt',
      ].join('\n'),
    )
  }
  const cmake = findProgram('cmake', env)
  const gyp = findProgram('python3', env) !== undefined && findProgram('make', env) !== undefined
  const way = env.SONOTEXT_BUILD ?? (cmake ? 'cmake' : gyp ? 'gyp' : 'direct')
  if (!['cmake', 'gyp', 'direct'].includes(way)) {
    throw new SetupError(`Unknown SONOTEXT_BUILD "${way}".`, 'Use cmake, gyp or direct, or leave it unset.')
  }
  const nvcc = way === 'cmake' ? findNvcc(env) : undefined
  return {
    way,
    compiler: `${compiler} ${compilerVersion}`,
    nvcc: nvcc ?? null,
    nvccVersion: nvcc === undefined ? null : (firstLines(nvcc, ['--version'], 1) ?? null),
    target: `${process.platform}-${process.arch}`,
    flags: [env.CXXFLAGS ?? '', env.LDFLAGS ?? ''],
    packages: ['node-addon-api', 'node-api-headers', 'cmake-js'].map((name) => `${name}@${version(name)}`),
  }
}

/**
 * Builds what changed and returns the path of the addon.
 * @param into folder of the build, for one beside the usual
 * @param options CMake options, such as `SONOTEXT_SANITIZE=address`
 */
export async function buildNative({ root, node, env, say, into, options: given = [] }) {
  const folder = join(root, 'packages', 'native-cuda')
  const build = into ?? join(folder, 'build')
  const addon = join(build, 'Release', 'sonotext.node')
  const stampFile = join(build, 'stamp.json')
  const log = into === undefined ? join(root, 'build', 'log', 'native.txt') : join(into, 'build.txt')
  const sources = ['native', 'cmake', 'gyp'].map((name) => join(folder, name))
  const files = [
    join(folder, 'CMakeLists.txt'),
    ...filesBelow(sources).filter((file) => !file.includes('/gyp/build/')),
  ]
  const architectures = env.SONOTEXT_CUDA_ARCHITECTURES
  const options = architectures ? [...given, `SONOTEXT_CUDA_ARCHITECTURES=${architectures}`] : given
  const tools = { ...describeTools(root, node, env), options }
  const now = { tools, sources: hashFiles(folder, files) }
  const todo = existsSync(addon) ? compareStamps(readStamp(stampFile), now) : 'everything'
  if (todo === 'nothing') return addon
  rmSync(stampFile, { force: true })
  if (todo === 'everything') rmSync(build, { recursive: true, force: true })

  const { way, nvcc } = now.tools
  const what = { cmake: 'CMake', gyp: 'node-gyp, CPU only', direct: 'the compiler alone, CPU only' }[way]
  say(
    `Building the native addon with ${what}${way === 'cmake' ? (nvcc ? ', with CUDA' : ', CPU only: no nvcc') : ''} …`,
  )
  const started = Date.now()
  const jobs = String(availableParallelism())
  if (way === 'cmake') {
    const cmakeJs = join(root, 'node_modules', 'cmake-js', 'bin', 'cmake-js')
    const cuda = nvcc ? `SONOTEXT_NVCC=${nvcc}` : 'SONOTEXT_CUDA=OFF' // CMake would look for an nvcc itself
    const defined = [...options, cuda].map((option) => `--CD${option}`)
    const toolset = process.platform === 'win32' ? ['--toolset', 'ClangCL'] : []
    const where = ['--directory', folder, '--out', build]
    const args = [cmakeJs, 'compile', ...where, '--parallel', jobs, ...toolset, ...defined]
    await captured(node, args, { cwd: folder, env, log })
  } else if (way === 'gyp') {
    const headers = layOutHeaders(root, join(build, 'headers'))
    const gyp = join(root, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js')
    const clean = Object.fromEntries(
      Object.entries(env).filter(([name]) => !/^npm_config_nodedir$/i.test(name)),
    )
    const args = [gyp, 'rebuild', '--directory', join(folder, 'gyp'), `--nodedir=${headers}`, '--jobs', jobs]
    await captured(node, args, { cwd: folder, env: clean, log })
    mkdirSync(join(build, 'Release'), { recursive: true })
    copyFileSync(join(folder, 'gyp', 'build', 'Release', 'sonotext.node'), addon)
  } else {
    const compiler = now.tools.compiler.split(' ')[0]
    const headers = layOutHeaders(root, join(build, 'headers'))
    const recipe = JSON.parse(readFileSync(join(folder, 'gyp', 'binding.gyp'), 'utf8'))
    await compileDirectly({
      recipe,
      base: join(folder, 'gyp'),
      headers,
      build,
      addon,
      compiler,
      env,
      log,
      jobs: +jobs,
    })
  }
  if (!existsSync(addon)) throw new SetupError(`The build left no ${addon}.`, `Its output is in ${log}`)
  writeStamp(stampFile, now)
  say(`Native addon: built in ${Math.round((Date.now() - started) / 1000)} s.`)
  return addon
}
