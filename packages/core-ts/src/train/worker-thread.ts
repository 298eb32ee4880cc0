import { parentPort, workerData } from 'node:worker_threads'
import { expected, isSonotextError } from '../base/errors.js'
import type { TrainerOptions } from './options.js'
import type { FromWorker, PlainError, ToWorker, WorkerTask } from './train-in-worker.js'
import { createTrainer } from './trainer.js'

/** The thread of {@link trainInWorker}: one run, report by report as they are asked for. */
const port = parentPort!
const stop = new AbortController()
let left = false
let wake = (): void => {}
port.on('message', (message: ToWorker) => {
  if (message === 'abort') stop.abort()
  if (message === 'leave') left = true
  wake()
})

const send = (message: FromWorker): void => port.postMessage(message)

async function train({ module, data, resume }: WorkerTask): Promise<void> {
  const { default: optionsOf } = (await import(module)) as { default: unknown }
  if (typeof optionsOf !== 'function') {
    throw expected('a function as default export', module, typeof optionsOf, {
      remedy: 'export default async (data) => ({ model, data, loss, … })',
    })
  }
  await using trainer = createTrainer((await optionsOf(data)) as TrainerOptions)
  if (resume !== null) await trainer.resume(resume)
  for await (const report of trainer.steps({ signal: stop.signal })) {
    const asked = new Promise<void>((resolve) => (wake = resolve))
    send({ kind: 'report', report })
    await asked
    if (left) return
  }
}

function plain(error: unknown): PlainError {
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  const own = isSonotextError(error) ? error : undefined
  return { message, stack, code: own?.code, file: own?.file }
}

await train(workerData as WorkerTask).then(
  () => send({ kind: 'done' }),
  (error: unknown) => send({ kind: 'failed', error: plain(error) }),
)
port.close()
