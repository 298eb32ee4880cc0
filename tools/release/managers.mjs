// Settings of other package managers and runtimes: each installs by name from a registry on loopback, and runs the README's lines.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Skipped } from '../nightly/run.mjs'
import { quickstart, run } from './project.mjs'
import { registryWith } from './registry.mjs'

const names = ['@sonotext/core', '@sonotext/scenes']

/** A project with the README's lines and nothing installed; resolves to the registry's URL. */
async function begin(context, { file = 'quickstart.mjs', dependencies } = {}) {
  mkdirSync(context.project, { recursive: true })
  const manifest = { name: 'user', private: true, type: 'module', dependencies }
  writeFileSync(join(context.project, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(context.project, file), quickstart(context.root))
  return registryWith(context)
}

const yarn = (linker) => ({
  name: linker === 'pnp' ? 'yarn-pnp' : 'yarn',
  what: `yarn 4 from a registry, ${linker === 'pnp' ? "without node_modules (Plug'n'Play)" : 'with node_modules'}`,
  async run(context) {
    const url = await begin(context)
    const { project, exec } = context
    const settings = {
      ...{ npmRegistryServer: url, unsafeHttpWhitelist: ['127.0.0.1'], nodeLinker: linker },
      globalFolder: join(project, 'yarn'), // the same version of an earlier run is another package
      ...{ enableGlobalCache: false, enableTelemetry: false, enableScripts: false, npmMinimalAgeGate: 0 },
    }
    writeFileSync(join(project, '.yarnrc.yml'), JSON.stringify(settings))
    writeFileSync(join(project, 'yarn.lock'), '') // a project of its own, whatever folder is above
    const modules = await context.tools('@yarnpkg/cli-dist@4')
    const program = join(modules, '@yarnpkg', 'cli-dist', 'bin', 'yarn.js')
    const env = { SONOTEXT_REQUIRE_NATIVE: '1' }
    await exec(process.execPath, [program, 'add', ...names], { cwd: project, env })
    const output = await exec(process.execPath, [program, 'node', 'quickstart.mjs'], { cwd: project, env })
    return output.trimEnd().split('\n').at(-1)
  },
})

export const managers = [
  {
    name: 'npm-registry',
    what: 'npm from a registry: the package of the platform comes by itself',
    async run(context) {
      const url = await begin(context)
      const quiet = ['--no-audit', '--no-fund', '--ignore-scripts']
      await context.exec('npm', ['install', ...quiet, '--registry', url, ...names], { cwd: context.project })
      return run(context, 'quickstart.mjs')
    },
  },
  {
    name: 'pnpm',
    what: 'pnpm 10 from a registry, with its links',
    async run(context) {
      const url = await begin(context)
      const { project, exec } = context
      const program = join(await context.tools('pnpm@10'), 'pnpm', 'bin', 'pnpm.cjs')
      const options = ['--registry', url, '--store-dir', join(project, 'store'), '--ignore-workspace']
      await exec(process.execPath, [program, 'add', ...options, ...names], { cwd: project })
      return run(context, 'quickstart.mjs')
    },
  },
  yarn('node-modules'),
  yarn('pnp'),
  {
    name: 'bun',
    what: 'bun as package manager and as runtime',
    async run(context) {
      if (process.platform !== 'linux' || process.arch !== 'x64')
        throw new Skipped('bun is tried on linux-x64 only')
      const url = await begin(context)
      const { project, exec } = context
      writeFileSync(join(project, 'bunfig.toml'), `[install]\nregistry = "${url}"\ncache = false\n`)
      const modules = await context.tools('@oven/bun-linux-x64-baseline')
      const bun = join(modules, '@oven', 'bun-linux-x64-baseline', 'bin', 'bun')
      await exec(bun, ['add', ...names], { cwd: project })
      const inNode = await run(context, 'quickstart.mjs')
      const cwd = join(project, 'in-bun') // a run of its own: the other one is there already
      mkdirSync(cwd)
      const inBun = await run(context, join(project, 'quickstart.mjs'), { node: bun, cwd })
      if (inNode !== inBun) throw new Error(`bun's own run ends with ${inBun}, Node's with ${inNode}`)
      return `${inBun}, as in Node`
    },
  },
  {
    name: 'deno',
    what: 'deno from a registry',
    async run(context) {
      const url = await begin(context)
      const { project, exec } = context
      const deno = join(await context.tools('deno'), 'deno', 'bin.cjs')
      const env = { NPM_CONFIG_REGISTRY: url, DENO_DIR: join(project, 'deno'), DENO_NO_UPDATE_CHECK: '1' }
      const young = '--minimum-dependency-age=0' // published a moment ago
      const specs = names.map((name) => `npm:${name}`)
      await exec(process.execPath, [deno, 'add', young, ...specs], { cwd: project, env })
      return run(context, 'quickstart.mjs', { args: [deno, 'run', '-A'], env })
    },
  },
]
