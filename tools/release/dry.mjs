#!/usr/bin/env node
// Installs what would be published into empty projects, in every setting that people link it in, and runs the README's lines
// there. Ends with one table and the exact contents of the packages; whole output in build/release/dry/<setting>.log.
//
//   npm run release:dry [-- --list] [-- --only setting,setting] [-- --update]
//
// --update writes docs/results/packages.json, the counters that packages are held to, and docs/results/settings.md, what was seen.
import { createWriteStream, mkdirSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { commandsOf } from '../nightly/commands.mjs'
import { runStages, table } from '../nightly/run.mjs'
import { differences, writeCounters } from './counters.mjs'
import { localAddons, packAll } from './pack.mjs'
import { toolsIn } from './project.mjs'
import { settings } from './settings.mjs'
import { writeSettings } from './settings-page.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const { values } = parseArgs({
  options: { list: { type: 'boolean' }, only: { type: 'string' }, update: { type: 'boolean' } },
})
const wanted = values.only?.split(',') ?? settings.map(({ name }) => name)
const unknown = wanted.filter((name) => !settings.some((setting) => setting.name === name))
if (unknown.length > 0) {
  console.error(
    `There is no setting "${unknown.join('", "')}"; there are ${settings.map(({ name }) => name).join(', ')}.`,
  )
  process.exit(2)
}
if (values.list) {
  const width = Math.max(...settings.map(({ name }) => name.length))
  for (const { name, what } of settings) console.log(`${name.padEnd(width)}  ${what}`)
  process.exit(0)
}

const out = join(root, 'build', 'release')
const folder = join(out, 'dry')
const tarballs = packAll(out, await localAddons())
mkdirSync(folder, { recursive: true })
const results = []
await runStages(
  settings.filter(({ name }) => wanted.includes(name)),
  {
    contextOf({ name }) {
      const log = createWriteStream(join(folder, `${name}.log`))
      const project = join(folder, name)
      rmSync(project, { recursive: true, force: true })
      mkdirSync(project, { recursive: true })
      const commands = commandsOf(log, root)
      const tools = toolsIn(join(root, 'build', 'release-tools'), commands.exec)
      return { root, project, tarballs, tools, ...commands, end: () => log.end() }
    },
    onStart: ({ name, what }) => console.log(`release: ${name}: ${what} …`),
    onResult(result) {
      results.push(result)
      console.log(`release: ${result.stage}: ${result.outcome}, ${result.why}`)
    },
  },
)
console.log(`\n${table(results)}\n`)
if (values.update) {
  writeCounters(tarballs)
  writeSettings(results, settings)
}
const changed = differences(tarballs)
for (const line of changed) console.log(`packages: ${line}`)
if (changed.length > 0) console.log('packages: accept with npm run release:dry -- --update')
console.log(`logs: ${folder}`)
process.exitCode = changed.length > 0 || results.some(({ outcome }) => outcome === 'failed') ? 1 : 0
