import { describe, expect, it } from 'vitest'
import { loadAddon } from './index.js'
import { inProcess } from './test-process.js'

/** Each scene ends its process on a mistake: it runs in one of its own, which says "alive" at the end. */
const survives = async (code: string) =>
  expect(await inProcess(`;(async () => { ${code}; console.log('alive') })()`)).toBe('alive\n')

describe('the process goes on when a worker ends', () => {
  it('by terminate() in the middle of an op on library memory', () =>
    survives(`
      for (let i = 0; i < 5; i++) {
        const thread = worker(\`
          addon.runAsync(cpu, 'log_mel', mel(300_000, addon.hostArray)).catch(() => {})
          setTimeout(() => parentPort.postMessage('running'), 20)
          setInterval(() => {}, 1000)\`)
        await once(thread, 'message')
        await thread.terminate()
      }`))

  it('by an uncaught exception in the middle of an op on library memory', () =>
    survives(`
      for (let i = 0; i < 5; i++) {
        const thread = worker(\`
          addon.runAsync(cpu, 'log_mel', mel(300_000, addon.hostArray)).catch(() => {})
          setTimeout(() => { throw new Error('a mistake of the caller') }, 20)\`)
        const [error] = await once(thread, 'error')
        if (error.message !== 'a mistake of the caller') throw error
      }`))

  it('by terminate() while cancelled ops reject', () =>
    survives(`
      for (let i = 0; i < 30; i++) {
        const thread = worker(\`
          const token = addon.createCancelToken()
          for (let i = 0; i < 8; i++) addon.runAsync(cpu, 'log_mel', mel(2000), token).catch(() => {})
          parentPort.on('message', () => addon.cancel(token))
          parentPort.postMessage('ready')\`)
        await once(thread, 'message')
        thread.postMessage('abort')
        await new Promise((done) => setTimeout(done, i % 3))
        await thread.terminate()
      }`))

  it('by terminate() in a loop of calls', () =>
    survives(`
      const loops = [
        \`for (;;) addon.run(cpu, 'gemm', args(64))\`,
        \`for (;;) try { addon.run(cpu, 'gemm', { ...args(2), m: 3 }) } catch {}\`,
        \`for (;;) addon.hostArray(100)\`,
        \`const sealed = addon.openDevice('sealed'); for (;;) addon.dispose(addon.alloc(sealed, 10))\`,
        \`for (;;) { addon.ops(); addon.devices(); addon.instructionSets(); addon.buildInfo() }\`,
        \`for (;;) addon.runAsync(cpu, 'gemm', args(2))\`,
      ]
      for (let i = 0; i < 36; i++) {
        const thread = worker(\`parentPort.postMessage('ready'); \${loops[i % loops.length]}\`)
        await once(thread, 'message')
        await new Promise((done) => setTimeout(done, i % 7))
        await thread.terminate()
      }`))

  it('by terminate() while it loads the addon', () =>
    survives(`
      for (let i = 0; i < 20; i++) {
        const thread = worker('')
        await new Promise((done) => setTimeout(done, 2 * i))
        await thread.terminate()
      }`))
})

describe('a queued op', () => {
  it('is cancelled, and dropped with its worker, while another op has the only thread', async () => {
    const output = await inProcess(
      `;(async () => {
        const long = addon.createCancelToken()
        const running = addon.runAsync(cpu, 'log_mel', mel(3_000_000), long).catch(() => {}).then(() => console.log('long'))
        const token = addon.createCancelToken()
        const out = mel(10)
        const queued = addon.runAsync(cpu, 'log_mel', out, token)
        const thread = worker(\`
          addon.runAsync(cpu, 'log_mel', mel(10)).catch(() => {})
          parentPort.postMessage('queued')
          setInterval(() => {}, 1000)\`)
        await once(thread, 'message')
        addon.cancel(token)
        await queued.catch(({ code, op }) => console.log(code, op, out.out.every((value) => value === 0)))
        await thread.terminate()
        console.log('terminated')
        addon.cancel(long)
        await running
      })()`,
      { env: { SONOTEXT_THREADS: '1' } },
    )
    expect(output).toBe('ABORTED log_mel true\nterminated\nlong\n')
  })
})

describe('an array that is transferred, though it must not be', () => {
  it('is refused for memory of the library, which would go with its thread whoever has it then', () => {
    for (const name of ['transfer', 'transferToFixedLength'] as const) {
      const array = loadAddon().hostArray(4)
      expect(() => array.buffer[name]()).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
      expect(array).toHaveLength(4)
    }
  })

  it('ends the ops that use it, running or queued, and no others; all settle', async () => {
    const output = await inProcess(
      `;(async () => {
        const token = addon.createCancelToken()
        const start = (name, frames) => {
          const args = mel(frames, addon.hostArray)
          const settled = addon.runAsync(cpu, 'log_mel', args, token).then(
            () => console.log(name, 'is done'), ({ code, op, message }) => console.log(name, code, op, /transferred/.test(message)))
          return { buffer: args.pcm.buffer, settled }
        }
        const [running, queued] = [start('running', 200_000), start('queued', 10)]
        start('other', 10)
        await new Promise((done) => setTimeout(done, 20))
        for (const call of [queued, running]) {
          ArrayBuffer.prototype.transfer.call(call.buffer)
          call.buffer = null
          gc()
          await call.settled
        }
      })()`,
      { env: { SONOTEXT_THREADS: '1' }, flags: ['--expose-gc'], timeout: 20_000 },
    )
    expect(output).toBe(
      'queued INVALID_ARGUMENT log_mel true\nrunning INVALID_ARGUMENT log_mel true\nother is done\n',
    )
  })

  it('ends those of the addon loaded a second time, too', () =>
    survives(`
      const path = Object.values(require.cache).find(({ exports }) => exports === addon).id
      delete require.cache[path]
      const second = require(path)
      if (second === addon) throw new Error('loaded once only')
      const args = mel(200_000, addon.hostArray)
      const settled = second.runAsync(second.openDevice('cpu'), 'log_mel', args).catch(({ code }) => code)
      await new Promise((done) => setTimeout(done, 20))
      ArrayBuffer.prototype.transfer.call(args.pcm.buffer, 8)
      if ((await settled) !== 'INVALID_ARGUMENT') throw new Error('not stopped')`))
})

describe('integers in shared memory', () => {
  it('may be written while a call checks and uses them', () =>
    survives(`
      const [count, d, vocabulary] = [4096, 16, 100]
      const tokens = new Int32Array(new SharedArrayBuffer(4 * count))
      const thread = new Worker(\`const { workerData, parentPort } = require('node:worker_threads')
        parentPort.postMessage('ready')
        for (let value = 0;; value ^= 0x7fffffff) workerData.fill(value, 4000)\`, { eval: true, workerData: tokens })
      await once(thread, 'message')
      const gradOut = new Float32Array(count * d).fill(1)
      let [ran, refused] = [0, 0]
      while (ran < 300 || refused < 10) {
        try {
          addon.run(cpu, 'embedding_backward', { tokens, gradOut, gradTable: new Float32Array(vocabulary * d), vocabulary, count, d })
          ran++
        } catch (error) {
          if (error.code !== 'INVALID_ARGUMENT') throw error
          refused++
        }
      }
      await thread.terminate()`))
})
