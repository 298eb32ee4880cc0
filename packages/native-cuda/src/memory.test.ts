import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { freemem } from 'node:os'
import { delimiter, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { inProcess } from './test-process.js'

/** `external` of this process after everything that can be collected is gone; for processes with --expose-gc. */
const settled = `
  const settled = async () => {
    for (let i = 0; i < 3; i++) { gc(); await new Promise((done) => setTimeout(done, 20)) }
    return process.memoryUsage()
  }`
const flags = ['--expose-gc']

describe('the collector is told of memory on a device', () => {
  it('so that forgotten buffers are given back before they fill it', async () => {
    const output = await inProcess(
      `;(async () => {
        const sealed = addon.openDevice('sealed')
        let most = 0
        for (let i = 0; i < 1000; i++) {
          addon.alloc(sealed, 500_000)
          if (i % 20 === 0) await new Promise((done) => setImmediate(done))
          most = Math.max(most, process.memoryUsage().rss)
        }
        console.log(most < 8e8)
      })()`,
    )
    expect(output).toBe('true\n')
  })
})

describe('10,000 calls', () => {
  it('leave nothing behind', async () => {
    const output = await inProcess(
      `${settled};(async () => {
        const sealed = addon.openDevice('sealed')
        const calls = [
          () => addon.run(cpu, 'gemm', args(8)),
          () => addon.runAsync(cpu, 'gemm', args(8)),
          () => addon.runAsync(cpu, 'log_mel', mel(3, addon.hostArray)),
          () => {
            const token = addon.createCancelToken()
            const running = addon.runAsync(cpu, 'gemm', args(8), token)
            addon.cancel(token)
            return running
          },
          () => addon.run(cpu, 'gemm', { ...args(8), n: 9 }),
          () => addon.runAsync(cpu, 'gemm', { ...args(8), bais: 1 }),
          () => {
            const [x, out] = [addon.alloc(sealed, 1000), addon.alloc(sealed, 1000)]
            const running = addon.runAsync(sealed, 'scale', { x, out, factor: 2 })
            addon.dispose(x)
            return running
          },
          () => addon.run(cpu, 'embedding', {
            table: new Float32Array(8), tokens: Int32Array.of(1, 0), out: new Float32Array(4), vocabulary: 4, count: 2, d: 2,
          }),
          () => addon.hostArray(1000),
          () => addon.hostArray(-1),
          () => { addon.ops(); addon.openDevice('cpu'); addon.supports(cpu, 'gemm') },
        ]
        const all = async (count) => {
          for (let i = 0; i < count; i++) {
            try { await calls[i % calls.length]() } catch (error) { if (error.code === undefined) throw error }
          }
          return settled()
        }
        await all(5000)
        // What leaks grows every time; what the engine compiles or rearranges does not.
        const states = [await all(1000), await all(10_000), await all(10_000), await all(10_000)]
        for (const kind of ['rss', 'heapUsed', 'external', 'arrayBuffers']) {
          console.log(kind, Math.max(0, Math.min(...[1, 2, 3].map((i) => states[i][kind] - states[i - 1][kind]))))
        }
      })()`,
      { flags },
    )
    const growth = new Map(
      output
        .trim()
        .split('\n')
        .map((line) => line.split(' ') as [string, string]),
    )
    // 10,000 objects of C++ that stay, of 100 bytes each, would be 1 MB; a page here and there is the allocator's.
    expect(Number(growth.get('rss'))).toBeLessThan(4e6)
    for (const kind of ['heapUsed', 'external', 'arrayBuffers'])
      expect(Number(growth.get(kind)), kind).toBeLessThan(300_000)
  })
})

describe('a runtime that refuses memory of others', () => {
  /** Node 20 takes no external buffer of 4 GiB, and calls its finaliser itself. */
  const node20 = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'node'))
    .filter((node) => existsSync(node))
    .find((node) => execFileSync(node, ['--version'], { encoding: 'utf8' }).startsWith('v20.'))

  it('gets an array of its own, and the memory is freed once', { timeout: 300_000 }, async (context) => {
    if (node20 === undefined) context.skip('there is no Node 20 in PATH')
    if (freemem() < 10e9) context.skip('less than 10 GB of memory are free')
    const code = `
      const array = addon.hostArray(2 ** 30 + 16)
      console.log(process.version.slice(0, 4), array.length, array[2 ** 30 + 15], addon.hostArray(3).length)
      // Neither the refused memory nor the other was touched as a whole.
      const most = /VmHWM:\\s+(\\d+) kB/.exec(require('node:fs').readFileSync('/proc/self/status', 'utf8'))
      if (most !== null && Number(most[1]) > 1e6) console.log(most[0])`
    expect(await inProcess(code, { node: node20! })).toBe(`v20. ${2 ** 30 + 16} 0 3\n`)
  })
})
