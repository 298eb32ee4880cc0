import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { candidates } from './load.js'

/** For tests: what a worker thread or a process of its own begins with. */
export const prelude = `
  const addon = require(${JSON.stringify(candidates()[0])})
  const cpu = addon.openDevice('cpu')
  const args = (n) => ({
    a: new Float32Array(n * n).fill(1), b: new Float32Array(n * n).fill(2), bias: null, out: new Float32Array(n * n),
    m: n, n, k: n, transA: 0, transB: 0, alpha: 1, beta: 0, slope: 1,
  })
  const mel = (frames, array = (length) => new Float32Array(length)) => ({
    pcm: array(frames * 8 + 1024).fill(1), window: new Float32Array(2048).fill(1),
    filterStart: Int32Array.of(0), filterOffset: Int32Array.of(0, 1), filterWeights: Float32Array.of(1),
    out: array(frames), nFft: 1024, hop: 8, frames, bands: 1, pad: 0, padMode: 0, power: 2, logKind: 0, precision: 0, offset: 0,
  })
`

const threads = `const { once } = require('node:events')
  const { Worker, parentPort, workerData } = require('node:worker_threads')\n`

export function worker(code: string, workerData: unknown = null): Worker {
  return new Worker(`${threads}${prelude}${code}`, { eval: true, workerData })
}

export async function firstMessage(thread: Worker): Promise<unknown> {
  const [message] = (await once(thread, 'message')) as [unknown]
  return message
}

export interface ProcessOptions {
  env?: NodeJS.ProcessEnv
  /** Options of Node, before the code. */
  flags?: readonly string[]
  node?: string
  /** A process that has not ended by itself after so many milliseconds is ended, and rejects. */
  timeout?: number
}

/**
 * Output of a process that runs `code`, in which `worker(code)` starts a worker thread. Rejects when the process ends badly:
 * what would end the test runner ends here.
 */
export async function inProcess(code: string, options: ProcessOptions = {}): Promise<string> {
  const { env = {}, flags = [], node = process.execPath, timeout } = options
  const start = `const worker = (code) => new Worker(${JSON.stringify(threads + prelude)} + code, { eval: true })\n`
  const { stdout } = await promisify(execFile)(
    node,
    [...flags, '-e', `${threads}${prelude}${start}${code}`],
    {
      env: { ...process.env, ...env },
      timeout,
    },
  )
  return stdout
}
