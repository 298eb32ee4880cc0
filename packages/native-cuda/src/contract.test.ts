import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { candidates } from './load.js'

const runner = join(dirname(dirname(candidates()[0]!)), 'native', 'test', 'contract')

describe('every op on every instruction set', () => {
  it('ends when cancelled, does nothing for nothing, and computes the same in any environment', async (context) => {
    if (!existsSync(runner)) context.skip('the contract runner is built with CMake only')
    const { stdout } = await promisify(execFile)(runner, { timeout: 600_000 })
    const names = [
      'cancel',
      'cancel within a chunk',
      'bf16',
      'nothing to write',
      'nothing to read',
      'moments',
    ]
    for (const name of names) expect(stdout).toContain(`\n${name}: passed\n`.slice(name === 'cancel' ? 1 : 0))
    expect(stdout).toMatch(/^float environment: (passed|skipped: .*)$/m)
  }, 600_000)
})
