import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = new URL('../../../../', import.meta.url)

it('the types of a manifest line agree with the schema', async () => {
  const { schemas, typesOf } = (await import(new URL('tools/schema-types.mjs', root).href)) as {
    schemas: Record<string, string>
    typesOf(schema: string): Promise<string>
  }
  const schema = Object.keys(schemas).find((path) => path.endsWith('/manifest.schema.json'))!
  const written = readFileSync(fileURLToPath(new URL(schemas[schema]!, root)), 'utf8')
  expect(written, 'run node tools/schema-types.mjs').toBe(await typesOf(schema))
})
