import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { candidates } from './load.js'

const runners = join(dirname(dirname(candidates()[0]!)), 'native', 'test')

async function run(name: string): Promise<string> {
  const { stdout } = await promisify(execFile)(join(runners, name))
  return stdout
}

describe('CUDA ops against the CPU', () => {
  it('agree in emulation: indexing and barriers, on the CPU', async (context) => {
    if (!existsSync(join(runners, 'conformance_emulated')))
      context.skip('conformance runners are built with CMake only')
    const table = await run('conformance_emulated')
    expect(table).toMatch(/\d+ cases compared, 0 differ or failed\n$/)
    for (const op of ['log_mel', 'similarity', 'info_nce']) expect(table).toContain(op)
  })

  it('agree on the GPU', async (context) => {
    if (!existsSync(join(runners, 'conformance')))
      context.skip('conformance runners are built with CMake only')
    const table = await run('conformance')
    if (table.includes('skipped:')) context.skip(`no GPU here: ${table.trim()}`)
    expect(table).toMatch(/\d+ cases compared, 0 differ or failed\n$/)
  })
})
