#!/usr/bin/env node
// Writes the TypeScript types of the shipped JSON schemas. Run after a schema changes; tests compare the two.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { compile } from 'json-schema-to-typescript'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/** Schema file → types file, both from the repository's root. */
export const schemas = {
  'packages/core-ts/src/data/manifest.schema.json': 'packages/core-ts/src/data/manifest-line.ts',
}

/** The types of one schema as TypeScript source: of a value whose defaults are filled in. */
export async function typesOf(schemaPath) {
  const schema = withDefaults(JSON.parse(readFileSync(resolve(root, schemaPath), 'utf8')))
  return compile(schema, schema.title, {
    bannerComment: `// Generated from ${schemaPath.split('/').at(-1)} by tools/schema-types.mjs.`,
    additionalProperties: false,
    style: JSON.parse(readFileSync(resolve(root, '.prettierrc.json'), 'utf8')),
  })
}

/** The schema of what validation makes of a value: a property that has a default is always there. */
function withDefaults(schema) {
  if (typeof schema !== 'object' || schema === null) return schema
  if (Array.isArray(schema)) return schema.map(withDefaults)
  const filled = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withDefaults(value)]))
  if (typeof schema.properties !== 'object') return filled
  const always = Object.keys(schema.properties).filter((name) => 'default' in schema.properties[name])
  return { ...filled, required: [...new Set([...(schema.required ?? []), ...always])] }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const [schema, types] of Object.entries(schemas)) {
    writeFileSync(resolve(root, types), await typesOf(schema))
  }
}
