import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
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
     process.send('started')
     for await (const report of trainer.steps());
     process.send(options.model.id, () => process.exit())`,
  )
})
afterAll(() => rm(folder, { recursive: true }))

/** Runs or resumes; killed after `delay` ms of training, or the final model's name. */
async function process(directory: string, delay?: number): Promise<string | null> {
  const child = spawn(globalThis.process.execPath, [join(folder, 'run.mjs'), directory], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  let id: string | null = null
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const started = new Promise<void>((resolve) => {
    child.on('message', (message) => (message === 'started' ? resolve() : void (id = String(message))))
    child.once('exit', () => resolve())
  })
  await started
  if (delay !== undefined) {
    await sleep(delay)
    child.kill('SIGKILL')
  }
  await ended
  return id
}

it('a run that is killed again and again ends with the bits of one that was not', async ({ skip }) => {
  skip(!existsSync(join(dist, 'testing/toy-run.js')), 'the TypeScript is not built: npm run setup')
  const whole = await process(join(folder, 'whole'))
  expect(whole).toMatch(/^[0-9a-f]{16}$/)
  const killed = join(folder, 'killed')
  const steps: number[] = []
  for (const delay of [40, 65, 50, 75, 55, 60]) {
    if ((await process(killed, delay)) !== null) break
    if (existsSync(join(killed, 'checkpoint.safetensors')))
      steps.push((await readCheckpoint(killed)).trainer.step)
  }
  expect(steps.length).toBeGreaterThan(1)
  expect(steps.toSorted((a, b) => a - b)).toEqual(steps)
  expect(steps.at(-1)).toBeGreaterThan(0)
  expect(await process(killed)).toBe(whole)
})
