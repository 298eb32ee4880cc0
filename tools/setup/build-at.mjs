#!/usr/bin/env node
// Another build of the library beside this one, for comparisons: prints the folder of a clone that holds it.
//
//   node tools/setup/build-at.mjs REV     the revision REV, in a work tree of its own below build/against, built once
//   node tools/setup/build-at.mjs --this  a copy of what is built here
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withLock } from '../../packages/native-cuda/compile/lock.mjs'
import { buildAddon } from '../../packages/native-cuda/compile/addon.mjs'
import { captured, SetupError } from '../../packages/native-cuda/compile/run.mjs'
import { readStamp, writeStamp } from '../../packages/native-cuda/compile/stamp.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')
const builds = join(root, 'build', 'against')
const kept = 3

const git = (...args) =>
  execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
const say = (line) => process.stderr.write(`build-at: ${line}\n`)

/** What decides the addon, as git sees it in a revision. */
const nativeParts = ['native', 'cmake', 'gyp', 'CMakeLists.txt'].map((part) => `packages/native-cuda/${part}`)
const nativeTree = (revision) => git('ls-tree', revision, '--', ...nativeParts)

async function buildRevision(revision) {
  const sha = commitOf(revision)
  const folder = join(builds, sha.slice(0, 12))
  const stamp = join(builds, `${sha.slice(0, 12)}.json`)
  const tools = { node: process.version, target: `${process.platform}-${process.arch}` }
  if (existsSync(folder) && JSON.stringify(readStamp(stamp)?.tools) === JSON.stringify(tools)) return folder
  rmSync(stamp, { force: true })
  if (!existsSync(join(folder, 'package.json'))) {
    rmSync(folder, { recursive: true, force: true })
    git('worktree', 'prune')
    git('worktree', 'add', '--detach', '--force', folder, sha)
  }
  await linkModules(folder)
  const node = process.execPath
  await addonOf(sha, folder, node)
  say(`Building the TypeScript of ${sha.slice(0, 12)} …`)
  const tsc = join(folder, 'node_modules', 'typescript', 'bin', 'tsc')
  const log = join(builds, `${sha.slice(0, 12)}.txt`)
  await captured(node, [tsc, '-b', join(folder, 'packages', 'core-ts')], { cwd: folder, log })
  writeStamp(stamp, { tools })
  prune(folder)
  return folder
}

function commitOf(revision) {
  try {
    return git('rev-parse', '--verify', '--quiet', `${revision}^{commit}`)
  } catch {
    throw new SetupError(
      `There is no revision ${revision} here.`,
      'Name a commit, tag or branch; a shallow clone has few of them (git fetch --unshallow).',
    )
  }
}

/** The packages of this clone, where the revision asks for the same; its own workspaces are linked to its own folders. */
async function linkModules(folder) {
  const modules = join(folder, 'node_modules')
  if (existsSync(modules)) return
  const same =
    readFileSync(join(root, 'package-lock.json'), 'utf8') ===
    readFileSync(join(folder, 'package-lock.json'), 'utf8')
  if (!same) {
    say('Other packages than here: npm ci …')
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
    await captured(npm, ['ci', '--no-audit', '--no-fund'], { cwd: folder, log: join(builds, 'npm-ci.txt') })
    return
  }
  linkWorkspaces(folder)
}

function linkWorkspaces(folder) {
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, '@sonotext'), { recursive: true })
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.endsWith('sonotext')) symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
  for (const name of readdirSync(join(folder, 'packages'))) {
    const own = join(folder, 'packages', name)
    // What npm could not put at the top, because another version stands there.
    const nested = join(root, 'packages', name, 'node_modules')
    if (existsSync(nested)) symlinkSync(nested, join(own, 'node_modules'))
    const { name: called } = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8'))
    if (called.startsWith('@sonotext/')) symlinkSync(own, join(modules, called))
  }
}

/** The addon of the revision: this clone's where its sources are the same and it is up to date, else built, for the CPU only. */
async function addonOf(sha, folder, node) {
  const here = join(root, 'packages', 'native-cuda', 'build')
  const there = join(folder, 'packages', 'native-cuda', 'build')
  const clean = git('status', '--porcelain', '--', ...nativeParts) === ''
  if (clean && nativeTree('HEAD') === nativeTree(sha) && existsSync(join(here, 'Release', 'sonotext.node'))) {
    copyBuild(here, there)
    return
  }
  const env = { ...process.env, SONOTEXT_CUDA: '0' }
  const native = join(folder, 'packages', 'native-cuda')
  const log = join(builds, `${sha.slice(0, 12)}-native.txt`)
  await buildAddon({ folder: native, node, env, say, log, options: ['SONOTEXT_TESTS=OFF'] })
}

/** The addon and the program that counts its instructions. */
function copyBuild(from, to) {
  for (const file of ['Release/sonotext.node', 'native/bench/instructions']) {
    if (existsSync(join(from, file))) cpSync(join(from, file), join(to, file))
  }
}

/** Old builds are many megabytes each. */
function prune(used) {
  const stamps = readdirSync(builds).filter((name) => /^[0-9a-f]{12}\.json$/.test(name))
  const old = stamps
    .map((name) => ({ folder: join(builds, name.slice(0, 12)), stamp: join(builds, name) }))
    .filter(({ folder }) => folder !== used)
    .sort((a, b) => statSync(b.stamp).mtimeMs - statSync(a.stamp).mtimeMs)
    .slice(kept - 1)
  for (const { folder, stamp } of old) {
    rmSync(folder, { recursive: true, force: true })
    rmSync(stamp)
  }
  if (old.length > 0) git('worktree', 'prune')
}

function copyThis() {
  const folder = join(builds, 'this')
  rmSync(folder, { recursive: true, force: true })
  for (const name of ['core-ts', 'native-cuda']) {
    for (const part of ['package.json', 'dist']) {
      const from = join(root, 'packages', name, part)
      cpSync(from, join(folder, 'packages', name, part), { recursive: true })
    }
  }
  copyBuild(join(root, 'packages', 'native-cuda', 'build'), join(folder, 'packages', 'native-cuda', 'build'))
  linkWorkspaces(folder)
  return folder
}

try {
  const [revision, ...rest] = process.argv.slice(2)
  if (revision === undefined || rest.length > 0)
    throw new SetupError('Expected one revision or --this.', 'Use: node tools/setup/build-at.mjs REV')
  const work = () => (revision === '--this' ? copyThis() : buildRevision(revision))
  const folder = await withLock(join(builds, 'lock'), { say }, async () => work())
  process.stdout.write(`${folder}\n`)
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  process.stderr.write(`\nbuild-at: ${error.message}\n${error.remedy}\n`)
  process.exitCode = 1
}
