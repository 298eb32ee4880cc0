#!/usr/bin/env node
// What does not fit the minutes of CI: sanitizers, other compilers and other Nodes. Ends with one table; a stage's whole output
// is in build/nightly/<stage>.log, and the results of stages that ended stand in build/nightly/results.json at any time.
//
//   npm run nightly [-- --list] [-- --only stage,stage]
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { commandsOf } from './nightly/commands.mjs'
import { runStages, table } from './nightly/run.mjs'
import { stages } from './nightly/stages.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const folder = join(root, 'build', 'nightly')

const { values } = parseArgs({ options: { list: { type: 'boolean' }, only: { type: 'string' } } })
const wanted = values.only?.split(',') ?? stages.map(({ name }) => name)
const unknown = wanted.filter((name) => !stages.some((stage) => stage.name === name))
if (unknown.length > 0) {
  console.error(
    `There is no stage "${unknown.join('", "')}"; there are ${stages.map(({ name }) => name).join(', ')}.`,
  )
  process.exit(2)
}
if (values.list) {
  const width = Math.max(...stages.map(({ name }) => name.length))
  for (const { name, what } of stages) console.log(`${name.padEnd(width)}  ${what}`)
  process.exit(0)
}

mkdirSync(folder, { recursive: true })
const results = []
const report = () => console.log(`\n${table(results)}\n\nlogs: ${folder}`)
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    report()
    process.exit(130)
  })
}
await runStages(
  stages.filter(({ name }) => wanted.includes(name)),
  {
    contextOf(stage) {
      const log = createWriteStream(join(folder, `${stage.name}.log`))
      const own = join(folder, stage.name)
      mkdirSync(own, { recursive: true })
      return { root, folder: own, ...commandsOf(log, root), end: () => log.end() }
    },
    onStart: ({ name, what }) => console.log(`nightly: ${name}: ${what} …`),
    onResult(result) {
      results.push(result)
      writeFileSync(join(folder, 'results.json'), `${JSON.stringify(results, null, 2)}\n`)
    },
  },
)
report()
process.exitCode = results.some(({ outcome }) => outcome === 'failed') ? 1 : 0
