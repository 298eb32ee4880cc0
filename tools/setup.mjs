#!/usr/bin/env node
// Everything between a fresh clone and a running job: packages, native addon, TypeScript, then the job itself under a Node
// that is new enough. Plain JavaScript for Node 20 without node_modules. A second run rebuilds nothing.
//
//   node tools/setup.mjs                        set up
//   node tools/setup.mjs --only native-cuda     set up no more than one package and what it needs
//   node tools/setup.mjs --then test -- [args]  set up, check, run the tests (args go to vitest)
//   node tools/setup.mjs --then demo -- [args]  set up, run the demo (args go to `sonotext demo`)
//   node tools/setup.mjs --then nightly -- [args]  set up, run tools/nightly.mjs
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildAddon } from '../packages/native-cuda/compile/addon.mjs'
import { withLock } from '../packages/native-cuda/compile/lock.mjs'
import { captured, SetupError } from '../packages/native-cuda/compile/run.mjs'
import { NoCompilerError } from '../packages/native-cuda/compile/toolchain.mjs'
import { installedMatches } from './setup/packages.mjs'
import { inherited } from './setup/run.mjs'
import { chooseNode } from './setup/node.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

function parse(argv) {
  const options = { then: undefined, only: undefined, rest: [] }
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === '--') return { ...options, rest: argv.slice(i + 1) }
    if (argv[i] === '--then') options.then = argv[++i]
    else if (argv[i] === '--only') options.only = argv[++i]
    else
      throw new SetupError(
        `Unknown option ${argv[i]}.`,
        'Use: node tools/setup.mjs [--then test|demo|nightly -- args]',
      )
  }
  return options
}

async function packages() {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const hidden = join(root, 'node_modules', '.package-lock.json')
  const installed = existsSync(hidden) ? JSON.parse(readFileSync(hidden, 'utf8')) : undefined
  if (installedMatches(lock, installed)) return
  say(installed === undefined ? 'Installing packages (npm ci) …' : 'Packages changed: npm ci …')
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  await captured(npm, ['ci', '--no-audit', '--no-fund'], {
    cwd: root,
    log: join(root, 'build', 'log', 'npm-ci.txt'),
  })
}

/** The addon; without a compiler the library works too, on the plain TypeScript reference, and says so. */
async function native(node, env) {
  const log = join(root, 'build', 'log', 'native.txt')
  try {
    await buildAddon({ node, env, say, log })
  } catch (error) {
    if (!(error instanceof NoCompilerError)) throw error
    say(`${error.message} Going on without the native addon: everything works, but many times slower, on`)
    say(`the plain TypeScript reference. ${error.remedy.replaceAll('\n', '\nsetup: ')}`)
  }
}

async function typescript(node, env, only) {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const started = Date.now()
  await captured(node, [tsc, '-b', ...(only === undefined ? [] : [join(root, 'packages', only)])], {
    cwd: root,
    env,
    log: join(root, 'build', 'log', 'typescript.txt'),
    show: true,
  })
  if (Date.now() - started > 5000) say('TypeScript: built.')
}

const jobs = {
  async test(node, env, rest) {
    const checks = [['layers.mjs'], ['ops.mjs', '--check'], ['isa-leak.mjs']]
    for (const [check, ...args] of checks) {
      const code = await inherited(node, [join(root, 'tools', check), ...args], { cwd: root, env })
      if (code !== 0) return code
    }
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
    const reporter = join(root, 'tools', 'setup', 'summary-reporter.mjs')
    return inherited(node, [vitest, 'run', '--reporter=default', `--reporter=${reporter}`, ...rest], {
      cwd: root,
      env,
    })
  },
  nightly(node, env, rest) {
    return inherited(node, [join(root, 'tools', 'nightly.mjs'), ...rest], { cwd: root, env })
  },
  demo(node, env, rest) {
    return inherited(node, [join(root, 'packages', 'cli', 'dist', 'main.js'), 'demo', ...rest], {
      cwd: root,
      env,
    })
  },
}

function say(line) {
  process.stderr.write(`setup: ${line}\n`)
}

try {
  const { then, only, rest } = parse(process.argv.slice(2))
  if (then !== undefined && !Object.hasOwn(jobs, then)) {
    throw new SetupError(`Unknown job "${then}".`, `Use one of: ${Object.keys(jobs).join(', ')}.`)
  }
  if (only !== undefined && !existsSync(join(root, 'packages', only, 'tsconfig.json'))) {
    throw new SetupError(`There is no package "${only}".`, 'Name a folder of packages/.')
  }
  const { node, env } = await withLock(join(root, 'build', 'setup.lock'), { say }, async () => {
    await packages()
    const node = chooseNode(root)
    const bin = join(root, 'node_modules', '.bin')
    const env = { ...process.env, PATH: [dirname(node), bin, process.env.PATH].join(delimiter) }
    await native(node, env)
    await typescript(node, env, only)
    return { node, env }
  })
  process.exitCode = then === undefined ? 0 : await jobs[then](node, env, rest)
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  process.stderr.write(`\nsetup: ${error.message}\n${error.remedy}\n`)
  process.exitCode = 1
}
