import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import * as runs from './index.js'

const root = new URL('../../../../', import.meta.url)

it('the shipped schema and the table of the guide are those of the parts', async () => {
  const { configDocs } = (await import(new URL('tools/config-docs.mjs', root).href)) as {
    configDocs(from: object): Promise<Record<string, string>>
  }
  for (const [path, text] of Object.entries(await configDocs(runs)))
    expect(readFileSync(fileURLToPath(new URL(path, root)), 'utf8'), 'run node tools/config-docs.mjs').toBe(
      text,
    )
})
