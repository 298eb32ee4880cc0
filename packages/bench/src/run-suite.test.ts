import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { helpOf } from './run-suite.js'

const program = fileURLToPath(new URL('../dist/run-suite.js', import.meta.url))

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [program, ...args])) }
  } catch (error) {
    const { code, stdout, stderr } = error as Error & { code: number; stdout: string; stderr: string }
    return { code, stdout, stderr }
  }
}

test('the help of a suite is the comment at its head', async () => {
  expect(helpOf('/**\n * nx run bench:a [--b]\n *\n *   --b  `c`\n */\ncode')).toBe(
    'nx run bench:a [--b]\n\n  --b  c',
  )
  const { code, stdout } = await run('check', '--help')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^nx run bench:check/)
  expect(stdout).toContain('--update')
})

test.each([['check'], ['kernels']])('a misspelt option of %s is told, not thrown', async (suite) => {
  const { code, stderr } = await run(suite, '--agianst', 'x')
  expect(code).toBe(2)
  expect(stderr).toContain("Unknown option '--agianst'")
  expect(stderr).not.toMatch(/\n {4}at /)
})

test('so are a suite, an op, a part and a plant that are not there', async () => {
  for (const args of [
    ['chekc'],
    ['check', '--only', 'gem'],
    ['check', '--parts', 'tiem'],
    ['check', '--plant', 'tree'],
  ]) {
    const { code, stderr } = await run(...args)
    expect(code, args.join(' ')).toBe(2)
    expect(stderr).toMatch(/Suites:|nothing called|no part/)
  }
})
