// A worker thread that reads recordings. It is started by worker-readers.ts and keeps nothing between jobs but what is on disk.
import { parentPort, workerData } from 'node:worker_threads'
import { type AudioDecoder, type AudioFeatures, fromOrigin } from '../audio/index.js'
import { openBackend, type OpenBackendOptions } from '../backend/open.js'
import { plainError } from '../base/errors.js'
import { RecordingReader } from './recording-reader.js'
import type { Reply, Request, WorkerSetup } from './worker-message.js'

const port = parentPort!
const setup = workerData as WorkerSetup

const { device, isa, matmul } = setup
const reader = new RecordingReader({
  kind: await fromOrigin<AudioFeatures>(setup.kind),
  // The size of the thread pool belongs to the process: it is left as it is, and the ops of all threads share it.
  backend: openBackend({
    device: device as NonNullable<OpenBackendOptions['device']>,
    ...(isa === null || device !== 'cpu' ? {} : { isa }),
    ...(device.startsWith('cuda') ? { matmul } : {}),
  }),
  decode: {
    ...setup.decode,
    decoders: await Promise.all(setup.decoders.map((origin) => fromOrigin<AudioDecoder>(origin))),
  },
  cacheFolder: setup.cacheFolder,
  readOnly: setup.readOnly,
})

const running = new Map<number, AbortController>()
const post = (reply: Reply, transfer: ArrayBuffer[] = []) => port.postMessage(reply, transfer)

port.on('message', (request: Request) => {
  if ('stop' in request) running.get(request.stop)?.abort()
  else void work(request)
})
post({ ready: true })

async function work({ id, job }: Extract<Request, { job: unknown }>): Promise<void> {
  const controller = new AbortController()
  running.set(id, controller)
  try {
    const result = await reader.read(job, controller.signal)
    const { features } = result
    // Memory of the addon's own cannot change threads, nor can part of an array without the rest.
    const whole = features === undefined || features.data.byteLength === features.data.buffer.byteLength
    const sent = whole ? result : { ...result, features: { ...features, data: features.data.slice() } }
    const buffer = sent.features?.data.buffer as ArrayBuffer | undefined
    post({ id, result: sent }, buffer === undefined ? [] : [buffer])
  } catch (error) {
    post({ id, error: plainError(error) })
  } finally {
    running.delete(id)
  }
}
