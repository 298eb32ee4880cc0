// The settings that people link the library in. Each installs the tarballs into a project of its own and resolves to what it saw.
import { cpSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundlers } from './bundlers.mjs'
import { managers } from './managers.mjs'
import { install, nodeOf, platformPackages, processorTime, quickstart, run } from './project.mjs'
import { anEngineInTenLines, commonJsOf } from './programs.mjs'

const nodes = ['22.13.0', '22', '24', '26']

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
    name: 'beside-clone',
    what: "the README's lines from tarballs and in the clone, in turns: the same digits, no slower",
    async run(context) {
      await install(context)
      writeFileSync(join(context.project, 'quickstart.mjs'), quickstart(context.root))
      const programs = {
        tarballs: join(context.project, 'quickstart.mjs'),
        clone: join(context.root, 'examples', 'quickstart.mjs'),
      }
      const [least, said] = [{ tarballs: Infinity, clone: Infinity }, new Set()]
      for (const way of ['tarballs', 'clone', 'clone', 'tarballs', 'tarballs', 'clone']) {
        const { output, seconds } = await processorTime(context, programs[way])
        least[way] = Math.min(least[way], seconds)
        said.add(output)
      }
      if (said.size !== 1) throw new Error('the digits differ')
      const ratio = least.tarballs / least.clone
      // The files are the same but for comments; beyond this something else than they was loaded.
      if (ratio > 1.15) throw new Error(`${ratio.toFixed(2)} times the processor time of the clone`)
      return `${ratio.toFixed(2)} times the processor time of the clone, least of three each; all digits equal`
    },
  },
  {
    name: 'blank-path',
    what: 'a folder whose name has blanks and letters beyond ASCII',
    async run(context) {
      const project = join(context.project, 'a b ü 日本')
      await install({ ...context, project }, { alone: true })
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
      writeFileSync(join(context.project, 'engine.mjs'), anEngineInTenLines)
      const options = { cwd: context.project }
      const output = await context.exec(process.execPath, ['engine.mjs'], options)
      const warnings = output.match(/Warning: Computing on the plain TypeScript reference/g) ?? []
      if (warnings.length !== 1) throw new Error(`expected one warning, got ${warnings.length}`)
      if (output.indexOf(warnings[0]) > output.indexOf('reference 51'))
        throw new Error('the warning comes after the first number')
      if (!output.includes('npx sonotext-native build')) throw new Error('the warning names no command')
      const refused = await context.exec(process.execPath, ['engine.mjs'], {
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
        const modules = await context.tools(`typescript@~${version}.0`)
        const tsc = join(modules, 'typescript', 'bin', 'tsc')
        for (const resolution of ['node16', 'nodenext', 'bundler']) {
          const module = resolution === 'bundler' ? 'esnext' : resolution
          const files = resolution === 'bundler' ? ['esm.mts'] : ['esm.mts', 'cjs.cts']
          // Its own, so that none of a folder above is looked at.
          const compilerOptions = {
            ...{ noEmit: true, strict: true, target: 'es2022', lib: ['es2023', 'esnext.disposable'] },
            ...{ types: ['node'], module, moduleResolution: resolution, skipLibCheck: false },
          }
          writeFileSync(join(context.project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
          await context.exec(process.execPath, [tsc, '-p', '.'], { cwd: context.project })
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
  ...bundlers,
  ...managers,
  {
    name: 'command-line',
    what: 'the command line from its tarball: doctor, compose, features',
    async run(context) {
      await install(context)
      const options = { cwd: context.project, env: { SONOTEXT_REQUIRE_NATIVE: '1' } }
      await context.exec('npx', ['sonotext', 'compose', '--out', 'scenes', '--split', 'train=4'], options)
      const doctor = JSON.parse(await context.exec('npx', ['sonotext', 'doctor', '--json'], options))
      const [addon] = (await context.exec('npx', ['sonotext-native', 'where'], options)).split('\n')
      if (!existsSync(addon)) throw new Error(`sonotext-native where names ${addon}, which is not there`)
      return `doctor: ${doctor.backend?.device ?? 'no backend'}`
    },
  },
  {
    name: 'publint',
    what: 'publint and arethetypeswrong on every tarball',
    async run(context) {
      const publint = join(await context.tools('publint'), '.bin', 'publint')
      const attw = join(await context.tools('@arethetypeswrong/cli'), '.bin', 'attw')
      const checked = context.tarballs.filter(({ name }) => !platformPackages.test(name))
      for (const { name, file } of checked) {
        const copy = join(context.project, 'package.tgz')
        cpSync(file, copy)
        await context.exec(publint, [copy, '--strict'], { cwd: context.project })
        if (name === 'sonotext') continue // a command, with nothing to import
        // The bench is a tool of ES modules; node10 has no exports at all.
        const profile = name === '@sonotext/bench' ? 'esm-only' : 'node16'
        const options = ['--profile', profile, '--ignore-rules', 'no-resolution']
        await context.exec(attw, [copy, ...options], { cwd: context.project })
      }
      return `${checked.length} packages clean`
    },
  },
]
