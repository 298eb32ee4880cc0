// Workers that end in the middle of what the public API computes: none of them may take the process along.
//
//   node terminate.mjs [workers = 20] [rounds = 1]
//
// Exit code 0 when every worker ended as it should and the addon still computes right in this thread.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { setTimeout as wait } from 'node:timers/promises'

const atOnce = 4
const dist = (path) => import(new URL(`../dist/${path}/index.js`, import.meta.url).href)
const noise = (length) => Float32Array.from({ length }, (_, i) => Math.sin(i * i))

/** What a worker does over and over; some of it never lets the event loop run. */
const scenes = {
  async search() {
    const { createIndex } = await dist('retrieval')
    const { matrix } = await dist('base')
    const index = createIndex({ dim: 64 })
    index.add(
      matrix(5000, 64, noise(5000 * 64)),
      Array.from({ length: 5000 }, (_, i) => `clip ${i}`),
    )
    return () => index.search(matrix(16, 64, noise(16 * 64)), { k: 10 })
  },
  async embed() {
    const { crnn, dualEncoder, words } = await dist('models')
    const { Vocabulary } = await dist('text')
    const { matrix } = await dist('base')
    const text = words({ vocabulary: Vocabulary.build([['rain', 'falls']]), dim: 16 })
    const model = dualEncoder({ audio: crnn({ hidden: 8 }), text })
    const clip = matrix(60, 64, noise(60 * 64))
    return () => model.audio.embed([clip, clip])
  },
  async features() {
    const { logMel } = await dist('audio')
    const mel = logMel('thesis', { sampleRate: 16_000 })
    const pcm = noise(4 * mel.options.sampleRate)
    return () => mel.compute(pcm)
  },
  async score() {
    const { captionScorer } = await dist('retrieval')
    const { matrix } = await dist('base')
    const captions = Array.from({ length: 64 }, () => matrix(12, 100, noise(1200)))
    const scorer = captionScorer(captions)
    const clip = matrix(400, 100, noise(40_000))
    return () => scorer.score([clip, clip, clip, clip], 0, captions.length)
  },
  async run() {
    const backend = (await dist('backend')).openBackend()
    const n = 96
    const [a, b, out] = [noise(n * n), noise(n * n), backend.memory.alloc(n * n)]
    return () => backend.run('gemm', product(a, b, out, n))
  },
  async refused() {
    const backend = (await dist('backend')).openBackend()
    const [a, b, out] = [noise(4), noise(4), noise(4)]
    return () => {
      try {
        backend.run('gemm', { ...product(a, b, out, 2), m: 3 })
      } catch {
        // the point is the error on its way out
      }
    }
  },
  async runAsync() {
    const backend = (await dist('backend')).openBackend()
    return () =>
      Promise.all(Array.from({ length: 4 }, () => backend.runAsync('frame_score', pairs(backend.memory))))
  },
  /** Rejections and the termination meet. */
  async aborted() {
    const backend = (await dist('backend')).openBackend()
    const control = new AbortController()
    const { signal } = control
    parentPort.once('message', () => control.abort())
    return () => {
      const calls = Array.from({ length: 8 }, () =>
        backend.runAsync('frame_score', pairs(backend.memory), { signal }),
      )
      return Promise.all(calls).catch(() => wait(1))
    }
  },
  /** The worker ends by a mistake of its own. */
  async throwing() {
    const backend = (await dist('backend')).openBackend()
    let calls = 0
    return () => {
      if (calls++ === 4)
        setImmediate(() => {
          throw new Error('planted')
        })
      void backend.runAsync('frame_score', pairs(backend.memory)).catch(() => {})
      return wait(2)
    }
  },
}

function product(a, b, out, n) {
  const flags = { transA: 0, transB: 0, alpha: 1, beta: 0, slope: 1 }
  return { a, b, bias: null, out, m: n, n, k: n, ...flags }
}

/** Frame×word scores on library memory: some milliseconds of work. */
function pairs(memory) {
  const [clips, captions, maxFrames, maxWords, d] = [16, 32, 200, 10, 100]
  return {
    frames: memory.alloc(clips * maxFrames * d),
    words: memory.alloc(captions * maxWords * d),
    frameLengths: new Int32Array(clips).fill(maxFrames),
    wordLengths: new Int32Array(captions).fill(maxWords),
    out: memory.alloc(clips * captions),
    ...{ clips, captions, maxFrames, maxWords, d, reduction: 0 },
  }
}

async function work(scene) {
  const step = await scenes[scene]()
  await step()
  parentPort.postMessage('working')
  for (;;) await step()
}

async function end(index) {
  const names = Object.keys(scenes)
  const scene = names[index % names.length]
  const worker = new Worker(new URL(import.meta.url), { workerData: { scene } })
  let mistake
  worker.on('error', (error) => {
    if (error.message !== 'planted') mistake = error
  })
  const working = new Promise((done) => worker.once('message', done))
  const ended = new Promise((done) => worker.once('exit', done))
  await Promise.race([working, ended])
  worker.postMessage('abort')
  await wait((index * 7) % 23)
  if (scene !== 'throwing') await worker.terminate()
  await ended
  if (mistake !== undefined) throw mistake
}

async function main([workers = '20', rounds = '1']) {
  const { openBackend } = await dist('backend')
  const backend = openBackend()
  if (backend.info.device !== 'cpu') throw new Error(`Expected the addon, got ${backend.info.reason}`)
  for (let round = 1; round <= Number(rounds); round++) {
    let next = 0
    const lane = async () => {
      while (next < Number(workers)) await end(next++)
    }
    await Promise.all(Array.from({ length: atOnce }, lane))
    const out = new Float32Array(4)
    await backend.runAsync('gemm', product(Float32Array.of(1, 2, 3, 4), Float32Array.of(0, 1, 1, 0), out, 2))
    if (out.join() !== '2,1,4,3') throw new Error(`Expected 2,1,4,3, got ${out.join()}`)
    process.stdout.write(`round ${round}: ${workers} workers ended, Node ${process.version}\n`)
  }
}

if (isMainThread) await main(process.argv.slice(2))
else await work(workerData.scene)
