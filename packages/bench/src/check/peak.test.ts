import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import process from 'node:process'
import { expect, test } from 'vitest'

const linux = existsSync('/proc/self/clear_refs')
if (!linux) process.stderr.write('peak: skipped, the system has no mark that can be set back\n')

const MiB = 2 ** 20
const program = `
  const { peakOfThis } = await import(${JSON.stringify(new URL('../../dist/check/peak.js', import.meta.url).href)})
  let first = Buffer.alloc(${200 * MiB}, 1)
  first = null
  gc()
  const peak = peakOfThis()
  const at = peak()
  let second = Buffer.alloc(${60 * MiB}, 1)
  second = null
  gc()
  console.log(JSON.stringify({ at, grown: peak() - at }))`

test.skipIf(!linux)(
  'the peak is of this program and of what comes, not of its parent nor of what was',
  () => {
    // The parent is large: a process begins with its parent's size in the mark that Node gives.
    const large = Buffer.alloc(300 * MiB, 1)
    const args = ['--expose-gc', '--input-type=module', '-e', program]
    const { at, grown } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as {
      at: number
      grown: number
    }
    expect(large.length).toBe(300 * MiB)
    expect(at).toBeLessThan(150 * MiB)
    expect(grown).toBeGreaterThan(55 * MiB)
    expect(grown).toBeLessThan(70 * MiB)
  },
)
