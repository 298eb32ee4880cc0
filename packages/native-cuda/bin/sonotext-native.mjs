#!/usr/bin/env node
// Builds the addon from the sources of this package, where no package with a built one fits. Plain JavaScript, Node 22.13 or newer.
import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { buildAddon } from '../compile/addon.mjs'
import { withLock } from '../compile/lock.mjs'
import { SetupError } from '../compile/run.mjs'

const help = `sonotext-native: the native addon of Sonotext

  sonotext-native build [--out FILE] [--cpu]   compile it from the sources in this package
  sonotext-native where                        which file is loaded, or why none is

A build needs a C++20 compiler (GCC 11, Clang 14 or newer) and, better, CMake; the CUDA kernels are compiled in where there is an
nvcc (PATH, CUDA_HOME, /usr/local/cuda), unless --cpu. It lies in the package then, and is found by itself until the package
is installed anew. With --out FILE it is also copied there: name that file in SONOTEXT_ADDON.
`

const folder = dirname(import.meta.dirname)
const say = (line) => process.stderr.write(`sonotext-native: ${line}\n`)

async function build({ out, cpu }) {
  const env = cpu ? { ...process.env, SONOTEXT_CUDA: '0' } : process.env
  const into = join(folder, 'build')
  const log = join(folder, 'build.txt')
  const addon = await withLock(join(folder, 'build.lock'), { say }, () =>
    buildAddon({ node: process.execPath, env, say, into, log, options: ['SONOTEXT_TESTS=OFF'] }),
  )
  if (out === undefined) return console.log(addon)
  const target = resolve(out)
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(addon, target)
  console.log(`${target}\nSet SONOTEXT_ADDON=${target} where it is to be used.`)
}

async function where() {
  const { candidates, loadAddon } = await import('../dist/index.js')
  const addon = loadAddon()
  console.log(`${candidates().find((file) => existsSync(file))}\n${JSON.stringify(addon.buildInfo())}`)
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      out: { type: 'string' },
      cpu: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false, short: 'h' },
    },
  })
  const [command, ...rest] = positionals
  if (values.help || command === undefined || command === 'help') process.stdout.write(help)
  else if (rest.length > 0) throw new SetupError(`Unexpected "${rest[0]}".`, help)
  else if (command === 'build') await build(values)
  else if (command === 'where') await where()
  else throw new SetupError(`Unknown command "${command}".`, help)
} catch (error) {
  const ours = error instanceof SetupError || error.code === 'BACKEND_UNAVAILABLE'
  if (!ours && !String(error.code).startsWith('ERR_PARSE_ARGS') && !/^E[A-Z]+$/.test(error.code ?? ''))
    throw error
  process.stderr.write(`sonotext-native: ${error.message}\n${error.remedy ?? ''}\n`)
  process.exitCode = ours ? 1 : 2
}
