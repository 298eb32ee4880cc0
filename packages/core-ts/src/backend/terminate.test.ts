import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const path = (inside: string) => fileURLToPath(new URL(`../../${inside}`, import.meta.url))

describe('workers that end in the middle of the public API', () => {
  it('leave the process and the addon whole', async (context) => {
    if (!existsSync(path('dist/backend/index.js'))) context.skip('dist is not built: npm run setup')
    const run = promisify(execFile)(process.execPath, [path('stress/terminate.mjs'), '20', '1'])
    expect((await run).stdout).toMatch(/^round 1: 20 workers ended/)
  })
})
