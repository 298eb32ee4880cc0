import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const program = fileURLToPath(new URL('embed-killed.mjs', import.meta.url))

// The stage `embed` of npm run nightly does so at 30 points, over real recordings where there are some.
it('embedding that is killed and called again ends with the same bytes', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--points', '2'])
  expect(stdout).toMatch(
    /killed at 2 points \(\d+ with some of the \d+ files kept\) and called again: the same bytes/,
  )
})

it('so does one that is killed again and again on its way', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--points', '2', '--along'])
  expect(stdout).toMatch(/killed at 2 points of one run \(\d+ with some .* and called again: the same bytes/)
})
