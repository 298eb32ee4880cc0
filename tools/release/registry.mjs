// A package registry on this machine's loopback: the tarballs are published to it, everything else comes from the registry that npm is
// set to. pnpm, yarn, bun and deno install from it as they would from the public one.
import { spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

let started

/** Starts it once a process, with the tarballs in it; resolves to its URL. It ends with the process. */
export function registryWith(context) {
  return (started ??= start(context))
}

async function start({ exec, root, tarballs, tools }) {
  const folder = join(root, 'build', 'release', 'registry')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const overrides = { 'node-fetch': '2.7.0' }
  const verdaccio = join(await tools('verdaccio@6.8.0', overrides), 'verdaccio', 'bin', 'verdaccio')
  const uplink = (await exec('npm', ['config', 'get', 'registry'])).trim()
  const own = '{ access: $all, publish: $all, unpublish: $all }'
  const config = `storage: ./storage
auth: { htpasswd: { file: ./htpasswd } }
uplinks: { npm: { url: '${uplink}', timeout: 60s, maxage: 30m } }
packages:
  '@sonotext/*': ${own}
  sonotext: ${own}
  '**': { access: $all, proxy: npm }
max_body_size: 500mb
log: { type: stdout, format: json, level: warn }
`
  writeFileSync(join(folder, 'config.yaml'), config)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/`
  const args = [verdaccio, '--config', join(folder, 'config.yaml'), '--listen', `127.0.0.1:${port}`]
  const child = spawn(process.execPath, args, { stdio: 'ignore' })
  child.unref() // or this process would wait for it
  process.on('exit', () => child.kill())
  await answered(`${url}-/ping`, child)
  const { token } = await (
    await fetch(`${url}-/user/org.couchdb.user:release`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'release', password: 'only on this machine' }),
    })
  ).json()
  const login = join(folder, 'npmrc')
  writeFileSync(login, `//127.0.0.1:${port}/:_authToken=${token}\n`)
  const options = ['--registry', url, '--userconfig', login, '--ignore-scripts']
  for (const { file } of tarballs) await exec('npm', ['publish', file, ...options], { cwd: folder })
  return url
}

async function answered(url, child) {
  for (let i = 0; i < 600; i++) {
    if (child.exitCode !== null) throw new Error(`verdaccio ended with ${child.exitCode}`)
    const response = await fetch(url).catch(() => null)
    if (response?.ok) return
    await wait(200)
  }
  throw new Error(`verdaccio did not answer at ${url}`)
}

function freePort() {
  return new Promise((done, failed) => {
    const server = createServer()
    server.on('error', failed)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => done(port))
    })
  })
}
