// Worker threads load the addon, use every kind of handle and every op, and go, by themselves or terminated. The main thread
// never loads it. Run under LeakSanitizer by `npm run nightly`.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { drawCall, isAccepted, streamOf } from '../../packages/core-ts/dist/testing/fuzz/call.js'
import { nativeBackend } from '../../packages/core-ts/dist/backend/native.js'
import { signatures } from '../../packages/core-ts/dist/backend/signatures.js'
import { loadAddon } from '../../packages/native-cuda/dist/index.js'

const rounds = 4
const workers = 3

if (isMainThread) {
  let calls = 0
  for (let round = 0; round < rounds; round++) {
    const ends = Array.from({ length: workers }, (_, id) => {
      const terminated = id === workers - 1
      const worker = new Worker(new URL(import.meta.url), {
        workerData: { seed: round * workers + id, terminated },
      })
      return new Promise((done, failed) => {
        worker.on('message', (count) => {
          calls += count
          if (terminated) worker.terminate()
        })
        worker.on('error', failed)
        worker.on('exit', done)
      })
    })
    await Promise.all(ends)
  }
  console.log(`used ${calls} calls in ${rounds * workers} worker threads`)
} else {
  const calls = await use(workerData.seed)
  if (workerData.terminated) startWhatNeverEnds()
  parentPort.postMessage(calls)
}

/** Every op on both devices, on and off this thread, right, refused and cancelled; handles kept, disposed and forgotten. */
async function use(seed) {
  const addon = loadAddon()
  const devices = [nativeBackend({ device: 'cpu' }), nativeBackend({ device: 'sealed' })]
  let calls = 0
  for (const op of Object.keys(signatures)) {
    for (let at = 0; at < 3; at++) {
      const { args } = drawCall(streamOf(seed, op, at), op)
      const accepted = isAccepted(op, args)
      for (const { memory, run, runAsync } of devices) {
        const taken = []
        const own = { ...args }
        for (const [name, value] of Object.entries(args)) {
          if (!(value instanceof Float32Array)) continue
          own[name] = memory.alloc(value.length)
          memory.upload(value, own[name])
          taken.push(own[name])
        }
        const outcome = await settled(() => run(op, own))
        if (outcome !== accepted) throw new Error(`${op}: accepted ${outcome}, expected ${accepted}`)
        await settled(() => runAsync(op, own))
        await settled(() => runAsync(op, own, { signal: AbortSignal.abort() }))
        const abort = new AbortController()
        const pending = settled(() => runAsync(op, own, { signal: abort.signal }))
        abort.abort()
        await pending
        // A third of the buffers is left to the collector, or to the end of the thread.
        for (const [i, buffer] of taken.entries()) if (i % 3 !== 0) memory.free(buffer)
        calls += 4
      }
    }
  }
  const cpu = addon.openDevice('cpu')
  const sealed = addon.openDevice('sealed')
  globalThis.kept = [addon.hostArray(1000), addon.alloc(sealed, 1000), addon.createCancelToken(), cpu]
  addon.dispose(addon.alloc(sealed, 10))
  addon.fill(globalThis.kept[1], 1)
  addon.copy(globalThis.kept[1], addon.alloc(sealed, 1000))
  for (const list of ['devices', 'instructionSets', 'ops', 'buildInfo', 'threads']) addon[list]()
  await settled(() => addon.openDevice('cuda:9'))
  return calls
}

/** Ops in flight and in the queue when the thread is terminated. */
function startWhatNeverEnds() {
  const { memory, runAsync } = nativeBackend({ device: 'cpu' })
  const n = 2000
  for (let i = 0; i < 4; i++) {
    const [a, b, out] = [memory.alloc(n * n), memory.alloc(n * n), memory.alloc(n * n)]
    runAsync('similarity', { a, b, out, batch: 1, n, m: n, d: n, scale: 1 }).catch(() => {})
  }
}

async function settled(call) {
  try {
    await call()
    return true
  } catch (error) {
    if (error.code === undefined) throw error
    return false
  }
}
