#!/usr/bin/env node
// Writes what follows from the schemas of the parts: the JSON schema of configurations, for editors, and the table of the guide.
// Run after a schema changes (and TypeScript is built); a test compares the two.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { format } from 'prettier'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const style = JSON.parse(readFileSync(resolve(root, '.prettierrc.json'), 'utf8'))

const schemaPath = 'packages/core-ts/src/runs/run.schema.json'
const guidePath = 'docs/guide/training.md'
const [begin, end] = ['<!-- keys -->', '<!-- end of keys -->']

/** Text of every file that follows, by path from the root. `runs` is the module of that name. */
export async function configDocs({ configJsonSchema, configKeys }) {
  const guide = readFileSync(resolve(root, guidePath), 'utf8')
  const [before, rest] = guide.split(begin)
  const [, after] = rest.split(end)
  const written = `${before}${begin}\n\n${table(configKeys())}\n\n${end}${after}`
  return {
    [schemaPath]: await format(JSON.stringify(configJsonSchema()), { ...style, parser: 'json' }),
    [guidePath]: await format(written, { ...style, parser: 'markdown' }),
  }
}

/** One row a key; the keys that only some choices have name them. Keys that every choice of a list has are told once. */
function table(keys) {
  const cell = (text) => String(text).replaceAll('|', '\\|')
  const code = (text) => `\`${cell(text)}\``
  const value = ({ default: fallback, required }) =>
    fallback === undefined
      ? required
        ? 'required'
        : 'none'
      : code(typeof fallback === 'string' ? fallback : JSON.stringify(fallback))
  const rows = Map.groupBy(keys, ({ key, default: fallback, description }) =>
    JSON.stringify([key, fallback, description]),
  )
  const lines = [...rows.values()].map((alike) => {
    const [{ key, description }] = alike
    const choices = [...new Set(alike.flatMap(({ when }) => when.slice(-1)))].map(
      (choice) => choice.split('=')[1],
    )
    return `| ${code(key)} | ${choices.join(', ')} | ${value(alike[0])} | ${cell(description)} |`
  })
  return ['| key | of | default | meaning |', '| --- | --- | --- | --- |', ...lines].join('\n')
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const runs = await import(pathToFileURL(resolve(root, 'packages/core-ts/dist/runs/index.js')).href)
  for (const [path, text] of Object.entries(await configDocs(runs))) writeFileSync(resolve(root, path), text)
}
