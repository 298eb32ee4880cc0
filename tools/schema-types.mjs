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

/** The types of one schema as TypeScript source. */
export async function typesOf(schemaPath) {
  const schema = JSON.parse(readFileSync(resolve(root, schemaPath), 'utf8'))
  return compile(schema, schema.title, {
    bannerComment: `// Generated from ${schemaPath.split('/').at(-1)} by tools/schema-types.mjs.`,
    additionalProperties: false,
    style: JSON.parse(readFileSync(resolve(root, '.prettierrc.json'), 'utf8')),
  })
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const [schema, types] of Object.entries(schemas)) {
    writeFileSync(resolve(root, types), await typesOf(schema))
  }
}
