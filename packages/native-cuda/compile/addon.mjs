// Builds build/Release/sonotext.node with what the machine has: CMake (with CUDA where there is nvcc), else node-gyp (needs
// Python and make), else the compiler alone. Plain JavaScript for Node 20, in a clone and in an installed package alike.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, resolve, sep } from 'node:path'
import { compileDirectly } from './direct.mjs'
import { layOutHeaders } from './headers.mjs'
import { captured, SetupError } from './run.mjs'
import { compareStamps, filesBelow, hashFiles, readStamp, writeStamp } from './stamp.mjs'
import { describeTools, packagePath } from './toolchain.mjs'

const own = dirname(import.meta.dirname)

/**
 * Builds what changed and returns the path of the addon.
 * @param folder the package whose sources are built
 * @param into folder of the build, for one beside the usual
 * @param log file for the output of the tools
 * @param options CMake options, such as `SONOTEXT_SANITIZE=address`
 */
export async function buildAddon({ folder = own, node, env, say, into, log, options: given = [] }) {
  const build = into ?? join(folder, 'build')
  const addon = join(build, 'Release', 'sonotext.node')
  const stampFile = join(build, 'stamp.json')
  const sources = ['native', 'gyp'].map((name) => join(folder, name))
  const files = [
    join(folder, 'CMakeLists.txt'),
    ...filesBelow(sources).filter((file) => !file.includes('/gyp/build/')),
  ]
  const architectures = env.SONOTEXT_CUDA_ARCHITECTURES
  const options = architectures ? [...given, `SONOTEXT_CUDA_ARCHITECTURES=${architectures}`] : given
  const tools = { ...describeTools(folder, env), options }
  const now = { tools, sources: hashFiles(folder, files) }
  const known = existsSync(addon) && !isOfAnother(build, folder)
  const todo = known ? compareStamps(readStamp(stampFile), now) : 'everything'
  if (todo === 'nothing') return addon
  rmSync(stampFile, { force: true })
  if (todo === 'everything') clear(build, addon)

  const { way, nvcc } = tools
  const what = { cmake: 'CMake', gyp: 'node-gyp, CPU only', direct: 'the compiler alone, CPU only' }[way]
  if (way === 'direct' && env.SONOTEXT_BUILD === 'gyp')
    say(`node-gyp cannot build in a folder with a blank: ${folder}`)
  say(
    `Building the native addon with ${what}${way === 'cmake' ? (nvcc ? ', with CUDA' : `, CPU only: ${env.SONOTEXT_CUDA === '0' ? 'SONOTEXT_CUDA=0' : 'no nvcc'}`) : ''} …`,
  )
  const started = Date.now()
  const jobs = availableParallelism()
  const work = { folder, build, addon, node, env, jobs, log: log ?? join(build, 'build.txt') }
  if (way === 'cmake') {
    // CMake would look for an nvcc itself.
    const cuda = nvcc ? `SONOTEXT_NVCC=${nvcc}` : 'SONOTEXT_CUDA=OFF'
    await withCmake({ ...work, options: [...options, cuda] })
  } else if (way === 'gyp') await withGyp(work)
  else await withCompilerAlone({ ...work, compiler: tools.compiler.split(' ')[0] })
  if (!existsSync(addon)) throw new SetupError(`The build left no ${addon}.`, `Its output is in ${work.log}`)
  writeStamp(stampFile, now)
  say(`Native addon: built in ${Math.round((Date.now() - started) / 1000)} s.`)
  return addon
}

/** Whether CMake set the build up for the sources of another folder: a copy of a clone would compile those. */
export function isOfAnother(build, folder) {
  const cache = join(build, 'CMakeCache.txt')
  if (!existsSync(cache)) return false
  const home = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readFileSync(cache, 'utf8'))?.[1]
  return home !== undefined && resolve(home) !== resolve(folder)
}

/**
 * Empties the folder of a build that has to begin again, but for the addon: until the new one is linked in its place, and where that is
 * interrupted or fails, the old one works.
 */
export function clear(folder, addon) {
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (addon.startsWith(`${path}${sep}`)) clear(path, addon)
    else if (path !== addon) rmSync(path, { recursive: true, force: true })
  }
}

/** Through cmake-js where it is installed (always in a clone), else with CMake itself and the variables that cmake-js sets. */
async function withCmake({ folder, build, node, env, jobs, log, options }) {
  const cmakeJs = packagePath(folder, 'cmake-js')
  if (cmakeJs !== undefined) {
    const toolset = process.platform === 'win32' ? ['--toolset', 'ClangCL'] : []
    const where = ['--directory', folder, '--out', build]
    const program = join(dirname(cmakeJs), 'bin', 'cmake-js')
    const args = [program, 'compile', ...where, '--parallel', String(jobs), ...toolset]
    await captured(node, [...args, ...options.map((option) => `--CD${option}`)], { cwd: folder, env, log })
    return
  }
  if (process.platform === 'win32') {
    // There the addon must link Node's import library, which cmake-js makes.
    throw new SetupError(
      'On Windows the build needs cmake-js.',
      'npm install --no-save cmake-js, then again.',
    )
  }
  const include = join(layOutHeaders(folder, join(build, 'headers')), 'include', 'node')
  const variables = {
    CMAKE_BUILD_TYPE: 'Release',
    CMAKE_LIBRARY_OUTPUT_DIRECTORY: join(build, 'Release'),
    CMAKE_JS_INC: include,
  }
  const defined = [...Object.entries(variables).map(([name, value]) => `${name}=${value}`), ...options]
  const configure = ['-S', folder, '-B', build, ...defined.map((option) => `-D${option}`)]
  await captured('cmake', configure, { cwd: folder, env, log })
  const target = ['--target', 'sonotext']
  await captured('cmake', ['--build', build, '--parallel', String(jobs), ...target], {
    cwd: folder,
    env,
    log,
  })
}

async function withGyp({ folder, build, addon, node, env, jobs, log }) {
  const headers = layOutHeaders(folder, join(build, 'headers'))
  const gyp = join(dirname(packagePath(folder, 'node-gyp')), 'bin', 'node-gyp.js')
  const clean = Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^npm_config_nodedir$/i.test(name)),
  )
  const where = ['--directory', join(folder, 'gyp'), `--nodedir=${headers}`]
  await captured(node, [gyp, 'rebuild', ...where, '--jobs', String(jobs)], { cwd: folder, env: clean, log })
  mkdirSync(dirname(addon), { recursive: true })
  copyFileSync(join(folder, 'gyp', 'build', 'Release', 'sonotext.node'), addon)
}

async function withCompilerAlone({ folder, build, addon, compiler, env, jobs, log }) {
  const base = join(folder, 'gyp')
  const headers = layOutHeaders(folder, join(build, 'headers'))
  const recipe = JSON.parse(readFileSync(join(base, 'binding.gyp'), 'utf8'))
  await compileDirectly({ recipe, base, headers, build, addon, compiler, env, log, jobs })
}
