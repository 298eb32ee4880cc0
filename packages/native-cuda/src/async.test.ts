import { describe, expect, it } from 'vitest'
import { loadAddon, type NativeArgs } from './index.js'
import { inProcess } from './test-process.js'

const addon = loadAddon()
const cpu = addon.openDevice('cpu')

/** Spectra of `frames` frames: some 10 µs of work each. */
function logMelArgs(frames: number): NativeArgs<'log_mel'> & { out: Float32Array } {
  const [nFft, hop, bands] = [1024, 8, 4]
  const window = new Float32Array(2 * nFft).fill(1, 0, nFft)
  const filters = { filterStart: Int32Array.of(0, 5, 9, 20), filterOffset: Int32Array.of(0, 1, 2, 3, 4) }
  const pcm = Float32Array.from({ length: frames * hop + nFft }, (_, i) => Math.sin(i * i))
  const out = new Float32Array(frames * bands)
  const modes = { pad: 0, padMode: 0, power: 2, logKind: 1, precision: 0, offset: 1e-9 }
  return {
    pcm,
    window,
    ...filters,
    filterWeights: new Float32Array(4).fill(1),
    out,
    nFft,
    hop,
    frames,
    bands,
    ...modes,
  }
}

describe('runAsync', () => {
  it('gives the same bits as run, for many calls at once', async () => {
    const expected = logMelArgs(300)
    addon.run(cpu, 'log_mel', expected)
    const calls = Array.from({ length: 12 }, () => logMelArgs(300))
    await Promise.all(calls.map((args) => addon.runAsync(cpu, 'log_mel', args)))
    for (const { out } of calls) expect(out).toEqual(expected.out)
  })

  it('leaves the JavaScript thread free', async () => {
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    await addon.runAsync(cpu, 'log_mel', logMelArgs(20_000))
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(0)
  })

  it('checks arguments at once', () => {
    expect(() => addon.runAsync(cpu, 'log_mel', { ...logMelArgs(1), nFft: 0 })).toThrow(/log_mel\.nFft/)
  })

  it('uses the integers that it checked, whatever becomes of the array', async () => {
    const [count, d, vocabulary] = [1 << 18, 16, 4]
    const tokens = new Int32Array(count)
    const gradTable = new Float32Array(vocabulary * d)
    const gradOut = new Float32Array(count * d).fill(1)
    const args = { tokens, gradOut, gradTable, vocabulary, count, d }
    const running = addon.runAsync(cpu, 'embedding_backward', args)
    tokens.fill(3)
    await running
    expect([...gradTable].every((value, i) => value === (i < d ? count : 0))).toBe(true)
  })

  it('stops soon after a cancel, also when it has not begun', async () => {
    const args = logMelArgs(500_000)
    const token = addon.createCancelToken()
    const running = addon.runAsync(cpu, 'log_mel', args, token)
    await new Promise((done) => setTimeout(done, 20))
    addon.cancel(token)
    await expect(running).rejects.toMatchObject({ code: 'ABORTED', op: 'log_mel' })
    expect(args.out.at(-1)).toBe(0)

    const again = logMelArgs(10)
    await expect(addon.runAsync(cpu, 'log_mel', again, token)).rejects.toMatchObject({ code: 'ABORTED' })
    expect(again.out.every((value) => value === 0)).toBe(true)
  })

  it('stops after a cancel by another instance of the addon', async () => {
    const output = await inProcess(`;(async () => {
      const path = Object.values(require.cache).find(({ exports }) => exports === addon).id
      delete require.cache[path]
      const second = require(path)
      const token = addon.createCancelToken()
      const running = second.runAsync(second.openDevice('cpu'), 'log_mel', mel(400_000, addon.hostArray), token)
      addon.cancel(token)
      console.log(second !== addon, await running.catch(({ code }) => code))
    })()`)
    expect(output).toBe('true ABORTED\n')
  })

  it('begins no chunk after a cancel', async () => {
    const [n, m, d] = [400_000, 512, 256]
    const chunk = 72 // rows at most, on any instruction set
    const before = addon.setThreads(2)
    // Zeros times NaN show what was written; what stays zero costs no memory.
    const [a, b] = [new Float32Array(n * d), new Float32Array(m * d).fill(NaN)]
    const out = new Float32Array(n * m)
    const written = (first: number, last: number) => {
      let rows = 0
      for (let row = first; row < last; row++) rows += Number.isNaN(out[(row + 1) * m - 1]) ? 1 : 0
      return rows
    }
    const token = addon.createCancelToken()
    const running = addon.runAsync(cpu, 'similarity', { a, b, out, batch: 1, n, m, d, scale: 1 }, token)
    while (written(0, chunk) === 0);
    addon.cancel(token)
    const atCancel = written(0, n)
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' })
    // Two threads: the chunk that each of them was in or about to begin.
    expect(written(0, n) - atCancel).toBeLessThanOrEqual(2 * chunk)
    expect(atCancel).toBeLessThan(n)
    addon.setThreads(before)
  })

  it('keeps its arrays alive when JavaScript drops them', async () => {
    const promises = Array.from({ length: 20 }, () => addon.runAsync(cpu, 'log_mel', logMelArgs(500)))
    const pressure: unknown[] = []
    for (let i = 0; i < 50; i++) pressure[i % 5] = new Array(100_000).fill(i)
    await Promise.all(promises)
  })

  it('lets a buffer be disposed while it runs', async () => {
    const sealed = addon.openDevice('sealed')
    const [x, out] = [addon.alloc(sealed, 1 << 20), addon.alloc(sealed, 1 << 20)]
    addon.fill(x, 3)
    const running = addon.runAsync(sealed, 'scale', { x, out, factor: 2 })
    addon.dispose(x)
    await running
    const values = new Float32Array(1 << 20)
    addon.download(out, values)
    expect(values.every((value) => value === 6)).toBe(true)
  })
})
