// Settings of bundlers. The addon and the audio decoders stay outside, as docs/guide/linking.md says.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { install, run } from './project.mjs'
import { anEngineInTenLines, commonJsOf } from './programs.mjs'

const outside = [
  ...['@sonotext/native-cuda', '@wasm-audio-decoders/flac', '@wasm-audio-decoders/ogg-vorbis'],
  ...['mpg123-decoder', 'opus-decoder'],
]
/** Optional packages, asked for where they are used. Vega waits at its top level, which CommonJS cannot. */
const optional = ['onnxruntime-web', 'vega', 'vega-lite', '@huggingface/tokenizers']

function esbuild(context, source, format, more) {
  const outfile = `bundle.${format === 'esm' ? 'mjs' : 'cjs'}`
  const options = ['--bundle', '--platform=node', `--format=${format}`, `--outfile=${outfile}`, ...more]
  return context.exec('npx', ['esbuild', source, ...options], { cwd: context.project }).then(() => outfile)
}

export const bundlers = [
  {
    name: 'esbuild',
    what: 'bundled as ES module and CommonJS, native-cuda kept outside',
    async run(context) {
      await install(context, { others: ['esbuild'] })
      writeFileSync(join(context.project, 'engine.mjs'), anEngineInTenLines)
      writeFileSync(join(context.project, 'engine-cjs.cjs'), commonJsOf(anEngineInTenLines))
      const externals = [...outside, ...optional].map((name) => `--external:${name}`)
      const esm = await run(context, await esbuild(context, 'engine.mjs', 'esm', externals))
      const cjs = await run(context, await esbuild(context, 'engine-cjs.cjs', 'cjs', externals))
      return `esm: ${esm}; cjs: ${cjs}`
    },
  },
  {
    name: 'esbuild-whole',
    what: 'everything in one file, away from node_modules: one warning that says what to keep outside',
    async run(context) {
      await install(context, { others: ['esbuild'] })
      const program = `import { openBackend } from '@sonotext/core'\nconsole.log(openBackend().info.device)\n`
      writeFileSync(join(context.project, 'open.mjs'), program)
      // Not below the project, where the package of the platform would be found.
      const alone = join(context.root, 'build', 'release', 'bundled')
      mkdirSync(alone, { recursive: true })
      for (const format of ['esm', 'cjs']) {
        const others = optional.map((name) => `--external:${name}`)
        const file = await esbuild(context, 'open.mjs', format, others)
        cpSync(join(context.project, file), join(alone, file))
        const output = await context.exec(process.execPath, [file], { cwd: alone })
        if (!output.includes('keep @sonotext/native-cuda outside of it'))
          throw new Error(`${format}: the warning does not say what to keep outside`)
        const warnings = output.match(/Warning: Computing on/g) ?? []
        if (warnings.length !== 1) throw new Error(`${format}: expected one warning, got ${warnings.length}`)
      }
      return 'esm, cjs: the reference, with one warning'
    },
  },
  {
    name: 'vite-ssr',
    what: 'vite build --ssr: dependencies outside, and all but native-cuda and decoders inside',
    async run(context) {
      await install(context, { others: ['vite@8'] })
      const { project, exec } = context
      writeFileSync(join(project, 'engine.mjs'), anEngineInTenLines)
      const seen = []
      for (const ssr of ['{}', `{ noExternal: true, external: ${JSON.stringify(outside)} }`]) {
        const build = "{ ssr: 'engine.mjs', outDir: 'out' }"
        writeFileSync(join(project, 'vite.config.mjs'), `export default { ssr: ${ssr}, build: ${build} }\n`)
        await exec('npx', ['vite', 'build'], { cwd: project })
        seen.push(await run(context, join('out', 'engine.js')))
      }
      return `dependencies outside: ${seen[0]}; inside: ${seen[1]}`
    },
  },
  {
    name: 'webpack',
    what: 'webpack for Node, native-cuda and decoders outside',
    async run(context) {
      await install(context, { others: ['webpack@5', 'webpack-cli@6'] })
      const { project, exec } = context
      writeFileSync(join(project, 'engine.mjs'), anEngineInTenLines)
      const config = `export default {
  mode: 'production',
  target: 'node22',
  entry: './engine.mjs',
  experiments: { outputModule: true },
  output: { module: true, chunkFormat: 'module', filename: 'bundle.mjs', path: import.meta.dirname + '/out' },
  externalsType: 'module-import',
  externals: ${JSON.stringify([...outside, ...optional])},
}
`
      writeFileSync(join(project, 'webpack.config.mjs'), config)
      await exec('npx', ['webpack'], { cwd: project })
      return run(context, join('out', 'bundle.mjs'))
    },
  },
  {
    name: 'next',
    what: 'a route of Next.js with serverExternalPackages, built and asked once',
    async run(context) {
      await install(context, { others: ['next@15', 'react@19', 'react-dom@19'] })
      const { project, exec } = context
      const route = join(project, 'app', 'api', 'engine')
      mkdirSync(route, { recursive: true })
      const [imports, ...lines] = anEngineInTenLines.split('\n')
      const body = lines.join('\n').replace(/console\.log\((.*)\)/, 'return Response.json([$1])')
      writeFileSync(
        join(route, 'route.js'),
        `${imports}\nexport const dynamic = 'force-dynamic'\nexport async function GET() {${body}}\n`,
      )
      const page = (name, text) => writeFileSync(join(project, 'app', name), `export default ${text}\n`)
      page('layout.js', 'function Layout({ children }) { return <html><body>{children}</body></html> }')
      page('page.js', 'function Page() { return <p>sounds</p> }')
      const config = `{ serverExternalPackages: ['@sonotext/core', '@sonotext/native-cuda'] }`
      writeFileSync(join(project, 'next.config.mjs'), `export default ${config}\n`)
      const next = join(project, 'node_modules', 'next', 'dist', 'bin', 'next')
      const env = { NEXT_TELEMETRY_DISABLED: '1', SONOTEXT_REQUIRE_NATIVE: '1' }
      await exec(process.execPath, [next, 'build'], { cwd: project, env })
      const port = 20_000 + (process.pid % 10_000)
      const server = spawn(process.execPath, [next, 'start', '-p', String(port), '-H', '127.0.0.1'], {
        cwd: project,
        env: { ...process.env, ...env },
        stdio: 'ignore',
      })
      try {
        for (let i = 0; i < 100; i++) {
          const response = await fetch(`http://127.0.0.1:${port}/api/engine`).catch(() => null)
          if (response?.ok) return (await response.json()).join(' ')
          if (response !== null) throw new Error(`the route answered ${response.status}`)
          await wait(300)
        }
        throw new Error('the server did not answer')
      } finally {
        server.kill()
        await once(server, 'exit')
      }
    },
  },
]
