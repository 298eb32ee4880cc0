import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { helpOf } from './run-suite.js'

const program = fileURLToPath(new URL('../dist/run-suite.js', import.meta.url))

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const run = (...args: string[]): Promise<Ended> => started(program, ...args)

async function started(...args: string[]): Promise<Ended> {
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, args)) }
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

test('so is what would be found nowhere, or written nowhere, before anything is measured', async () => {
  for (const [said, ...args] of [
    ['counters alone', '--plant', 'copy', '--only', 'gemm'],
    ['counters alone', '--plant', 'copy', '--parts', 'time'],
    ['part memory', '--plant', 'memory', '--parts', 'counters'],
    ['in nothing', '--slow', 'gemm', '--parts', 'counters'],
    ['in nothing', '--slow', 'training_step', '--parts', 'instructions'],
    ['in nothing', '--slow', 'gemm', '--only', 'conv2d'],
    ['no baseline', '--update', '--plant', 'copy'],
    ['got both', '--noise', '--against', 'HEAD'],
    ['no such file', '--json', '/not/there/a.json'],
  ]) {
    const { code, stderr } = await run('check', ...args)
    expect(code, args.join(' ')).toBe(2)
    expect(stderr).toContain(said)
    expect(stderr).not.toMatch(/\n {4}at /)
  }
})

const suites = readdirSync(new URL('suites/', import.meta.url)).filter((file) => /^[\w-]+\.ts$/.test(file))

test.each(suites)('%s has its help at its head and can be started by itself', (file) => {
  const source = readFileSync(new URL(`suites/${file}`, import.meta.url), 'utf8')
  expect(helpOf(source).length).toBeGreaterThan(50)
  expect(/^import .*$/m.exec(source)?.[0]).toBe("import '../direct.js'")
})

test('a suite that is started by itself gives the same help and the same errors', async () => {
  const suite = fileURLToPath(new URL('../dist/suites/alignment.js', import.meta.url))
  const help = await run('alignment', '--help')
  expect(await started(suite, '--help')).toEqual(help)
  const wrong = await started(suite, '--scnes', 'x')
  expect(wrong).toEqual(await run('alignment', '--scnes', 'x'))
  expect(wrong.code).toBe(2)
  const missing = await started(suite)
  expect(missing).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^bench:alignment: Name the manifest/) as string,
  })
  expect(missing.stderr).not.toMatch(/\n {4}at /)
})

test('a suite that starts itself again, for memory of its own, hears the answer', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sonotext-suite-'))
  try {
    await writeFile(join(folder, 'mine.txt'), 'mine')
    const small = ['--clips', '4', '--beside', '2', '--frames', '20', '--steps', '1', '--split', '2']
    const suite = fileURLToPath(new URL('../dist/suites/corpus.js', import.meta.url))
    const { code, stdout, stderr } = await started(suite, ...small, '--captions', '1', '--work', folder)
    expect(stderr).toContain('2 clips: pooled')
    expect(code).toBe(0)
    expect(stdout).toContain('| 4 feature files written')
    // Of the folder nothing else is removed.
    expect(readdirSync(folder)).toEqual(['mine.txt'])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
