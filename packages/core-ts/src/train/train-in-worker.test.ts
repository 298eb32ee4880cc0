import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TrainingReport } from './options.js'
import type { trainInWorker as ofSource } from './train-in-worker.js'

// Threads load what is built.
const dist = new URL('../../dist/', import.meta.url)
const built = existsSync(fileURLToPath(new URL('testing/toy-run.js', dist)))
const reason = built ? '' : ' (the TypeScript is not built: npm run setup)'

let folder: string
let module: URL
let trainInWorker: (...args: Parameters<typeof ofSource>) => ReturnType<typeof ofSource>
beforeAll(async () => {
  if (!built) return
  ;({ trainInWorker } = (await import(/* @vite-ignore */ new URL('train/index.js', dist).href)) as {
    trainInWorker: typeof trainInWorker
  })
  folder = await mkdtemp(join(tmpdir(), 'sonotext-worker-'))
  const path = join(folder, 'run.mjs')
  module = pathToFileURL(path)
  await writeFile(
    path,
    `const load = (name) => import(${JSON.stringify(dist.href)} + name)
     const { openBackend } = await load('backend/open.js')
     const { toyRun } = await load('testing/toy-run.js')
     export default ({ directory, epochs = 2 }) => toyRun(openBackend(), { directory, epochs })`,
  )
})
afterAll(() => (built ? rm(folder, { recursive: true }) : undefined))

const timeless = (report: TrainingReport) => ({ ...report, seconds: 0 })

describe.skipIf(!built)(`training in a thread of its own${reason}`, { timeout: 300_000 }, () => {
  async function reportsOf(run: AsyncIterable<TrainingReport>): Promise<unknown[]> {
    const reports: unknown[] = []
    for await (const report of run) reports.push(timeless(report))
    return reports
  }

  it('gives the reports of a trainer, and goes on with a run that was left', async () => {
    const { openBackend } = await import('../backend/open.js')
    const { toyRun } = await import('../testing/toy-run.js')
    const { createTrainer } = await import('./trainer.js')
    await using trainer = createTrainer(toyRun(openBackend(), { epochs: 2 }))
    const wanted = await reportsOf(trainer.steps())
    const directory = join(folder, 'left')
    const first: unknown[] = []
    for await (const report of trainInWorker(module, { data: { directory } })) {
      first.push(timeless(report))
      if (report.kind === 'epoch') break
    }
    const rest = await reportsOf(trainInWorker(module, { data: { directory }, resume: directory }))
    expect([...first, ...rest]).toEqual(wanted)
  })

  it('waits until the next report is asked for', async () => {
    const run = trainInWorker(module, { data: { directory: join(folder, 'slow'), epochs: 50 } })
    await run.next()
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(existsSync(join(folder, 'slow', 'checkpoint.safetensors'))).toBe(false)
    await run.return()
  })

  it('stops at a signal with a checkpoint', async () => {
    const directory = join(folder, 'stopped')
    const controller = new AbortController()
    const run = trainInWorker(module, { data: { directory, epochs: 1000 }, signal: controller.signal })
    const pending = (async () => {
      for await (const { step } of run) if (step === 3) controller.abort()
    })()
    await expect(pending).rejects.toMatchObject({ code: 'ABORTED' })
    expect(await readdir(directory)).toContain('checkpoint.safetensors')
    const early = trainInWorker(module, { signal: AbortSignal.abort() })
    await expect(early.next()).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('throws what the run throws', async () => {
    const broken = pathToFileURL(join(folder, 'broken.mjs'))
    await writeFile(
      broken,
      `const { SonotextError } = await import(${JSON.stringify(dist.href)} + 'base/errors.js')
       export default (fail) => {
         if (fail === 'own') throw new SonotextError('INVALID_DATA', 'no clips.', { file: 'm.jsonl', remedy: 'Add some.' })
         if (fail === 'other') throw new TypeError('no such thing')
         process.exit(3)
       }`,
    )
    const failing = (fail: string) => trainInWorker(broken, { data: fail }).next()
    await expect(failing('own')).rejects.toMatchObject({
      name: 'SonotextError',
      code: 'INVALID_DATA',
      file: 'm.jsonl',
      message: 'm.jsonl: no clips. Add some.',
    })
    await expect(failing('other')).rejects.toThrow('no such thing')
    await expect(failing('exit')).rejects.toThrow(/ended by itself \(exit code 3\)/)
    await expect(trainInWorker('run.mjs').next()).rejects.toThrow(/URL of a module.*import\.meta\.url/)
    const none = pathToFileURL(join(folder, 'none.mjs'))
    await writeFile(none, 'export default 3')
    await expect(trainInWorker(none).next()).rejects.toThrow(/function as default export.*got "?number/)
  })
})
