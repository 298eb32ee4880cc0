import { afterEach, describe, expect, it } from 'vitest'
import { loadAddon, type NativeArgs } from './index.js'

const addon = loadAddon()
const cpu = addon.openDevice('cpu')
const before = addon.threads()
afterEach(() => addon.setThreads(before))

function numbers(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(seed + i * 12.9898))
}

/** Work large enough to be cut into chunks. */
function gemmArgs(): NativeArgs<'gemm'> & { out: Float32Array } {
  const [m, n, k] = [257, 190, 301]
  const options = { transA: 0, transB: 1, alpha: 1, beta: 0, slope: 0.1, bias: numbers(n, 3) }
  return { a: numbers(m * k, 1), b: numbers(n * k, 2), out: new Float32Array(m * n), m, n, k, ...options }
}

describe('the thread pool', () => {
  it('has the size that is set', () => {
    for (const count of [1, 3, 8, 2]) {
      expect(addon.setThreads(count)).toBe(count)
      expect(addon.threads()).toBe(count)
    }
    for (const wrong of [0, -1, 1.5, 257, NaN]) {
      expect(() => addon.setThreads(wrong)).toThrow(/an integer from 1 to 256 for threads/)
    }
    expect(addon.buildInfo().physicalCores).toBeGreaterThanOrEqual(1)
  })

  it('does not change a bit of the result', () => {
    addon.setThreads(1)
    const alone = gemmArgs()
    addon.run(cpu, 'gemm', alone)
    for (const count of [2, 3, 7]) {
      addon.setThreads(count)
      const together = gemmArgs()
      addon.run(cpu, 'gemm', together)
      expect(together.out).toEqual(alone.out)
    }
  })

  it('may change its size while ops run', async () => {
    const expected = gemmArgs()
    addon.run(cpu, 'gemm', expected)
    const calls = Array.from({ length: 60 }, gemmArgs)
    const running = calls.map(async (args, i) => {
      addon.setThreads(1 + (i % 6))
      await addon.runAsync(cpu, 'gemm', args)
    })
    for (const count of [5, 1, 4]) {
      addon.setThreads(count)
      addon.run(cpu, 'gemm', gemmArgs())
    }
    await Promise.all(running)
    for (const { out } of calls) expect(out).toEqual(expected.out)
  })
})
