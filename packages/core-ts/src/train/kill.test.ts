import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readCheckpoint } from './checkpoint.js'

const dist = fileURLToPath(new URL('../../dist/', import.meta.url))
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-'))
  await writeFile(
    join(folder, 'run.mjs'),
    `import { existsSync } from 'node:fs'
     const load = (name) => import(${JSON.stringify(dist)} + name)
     const { openBackend } = await load('backend/open.js')
     const { toyRun } = await load('testing/toy-run.js')
     const { createTrainer } = await load('train/index.js')
     const directory = process.argv[2]
     const options = toyRun(openBackend(), { directory, saveEvery: 1, epochs: 40 })
     const trainer = createTrainer(options)
     if (existsSync(directory + '/checkpoint.safetensors')) await trainer.resume(directory)
     for await (const report of trainer.steps()) process.send(report.step)
     process.send(options.model.id, () => process.exit())`,
  )
})
afterAll(() => rm(folder, { recursive: true }))

/** Runs or resumes; killed somewhere behind the `steps`-th step it takes, or the final model's name. */
async function process(directory: string, steps = Infinity): Promise<string | null> {
  const child = spawn(globalThis.process.execPath, [join(folder, 'run.mjs'), directory], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  let id: string | null = null
  let taken = 0
  child.on('message', (message) => {
    if (typeof message === 'string') id = message
    else if (++taken === steps) child.kill('SIGKILL')
  })
  await new Promise((resolve) => child.once('exit', resolve))
  return id
}

it('a run that is killed again and again ends with the bits of one that was not', async ({ skip }) => {
  skip(!existsSync(join(dist, 'testing/toy-run.js')), 'the TypeScript is not built: npm run setup')
  const whole = await process(join(folder, 'whole'))
  expect(whole).toMatch(/^[0-9a-f]{16}$/)
  const killed = join(folder, 'killed')
  const steps: number[] = []
  for (const taken of [2, 9, 1, 17, 5, 30]) {
    if ((await process(killed, taken)) !== null) break
    if (existsSync(join(killed, 'checkpoint.safetensors')))
      steps.push((await readCheckpoint(killed)).learner.steps)
  }
  expect(steps.length).toBeGreaterThan(1)
  expect(steps.toSorted((a, b) => a - b)).toEqual(steps)
  expect(steps.at(-1)).toBeGreaterThan(0)
  expect(await process(killed)).toBe(whole)
})
