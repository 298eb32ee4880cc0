import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { firstMessage, prelude, worker } from './test-process.js'

describe('worker threads', () => {
  it('load the addon side by side and share the pool', async () => {
    const threads = Array.from({ length: 4 }, () =>
      worker(`
        Promise.all(Array.from({ length: 10 }, async () => {
          const call = args(100)
          await addon.runAsync(cpu, 'gemm', call)
          const other = args(64)
          addon.run(cpu, 'gemm', other)
          return call.out.every((v) => v === 200) && other.out.every((v) => v === 128)
        })).then((results) => parentPort.postMessage(results.every(Boolean)))`),
    )
    expect(await Promise.all(threads.map(firstMessage))).toEqual([true, true, true, true])
    await Promise.all(threads.map((thread) => thread.terminate()))
  })

  it('may come and go one after the other', async () => {
    for (let i = 0; i < 5; i++) {
      const thread = worker(`addon.run(cpu, 'gemm', args(32)); parentPort.postMessage('done')`)
      expect(await firstMessage(thread)).toBe('done')
      await thread.terminate()
    }
  })

  it('can be terminated while ops run: they are cut short', async () => {
    const frames = 1_000_000
    for (let i = 0; i < 4; i++) {
      const out = new Float32Array(new SharedArrayBuffer(4 * frames))
      const thread = worker(
        `
        const sealed = addon.openDevice('sealed')
        globalThis.kept = Array.from({ length: 20 }, () => addon.alloc(sealed, 1000))
        for (let i = 0; i < 6; i++) {
          addon.runAsync(cpu, 'log_mel', i === 0 ? { ...mel(${frames}), out: workerData } : mel(1000)).catch(() => {})
        }
        parentPort.postMessage('running')`,
        out,
      )
      await firstMessage(thread)
      expect(await thread.terminate()).toBe(1)
      expect(out.at(-1)).toBe(0)
    }
  })

  it('keep running while an op is pending, and end after it', async () => {
    const thread = worker(
      `addon.runAsync(cpu, 'gemm', args(200)).then(() => parentPort.postMessage('settled'))`,
    )
    const ended = once(thread, 'exit')
    expect(await firstMessage(thread)).toBe('settled')
    expect(await ended).toEqual([0])
  })
})

describe('a process', () => {
  const run = (code: string, env: NodeJS.ProcessEnv = {}) =>
    execFileSync(process.execPath, ['-e', prelude + code], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    })

  it('can exit while ops run', () => {
    expect(run(`addon.runAsync(cpu, 'log_mel', mel(2_000_000)); console.log('bye'); process.exit(0)`)).toBe(
      'bye\n',
    )
  })

  it('survives the end of the only thread that loaded the addon', () => {
    const inner = JSON.stringify(`${prelude}; addon.run(cpu, 'gemm', args(300))`)
    const code = `
      const { Worker } = require('node:worker_threads')
      new Worker(${inner}, { eval: true }).on('exit', (status) => setTimeout(() => console.log('alive', status), 50))`
    const output = execFileSync(process.execPath, ['-e', code], { encoding: 'utf8' })
    expect(output).toBe('alive 0\n')
  })

  it('takes the size of the pool and the instruction set from the environment', () => {
    const code = `console.log(addon.threads(), cpu.isa)`
    expect(run(code, { SONOTEXT_THREADS: '3', SONOTEXT_ISA: 'scalar' })).toBe('3 scalar\n')
    const failing = (env: NodeJS.ProcessEnv) => {
      const open = `try { addon.openDevice('cpu') } catch (e) { console.log(e.code, e.message) }`
      const code = `${prelude.split('\n')[1]}\n${open}`
      return execFileSync(process.execPath, ['-e', code], {
        encoding: 'utf8',
        env: { ...process.env, ...env },
      })
    }
    expect(failing({ SONOTEXT_ISA: 'sse9' })).toContain(
      'BACKEND_UNAVAILABLE Unknown instruction set "sse9" in SONOTEXT_ISA',
    )
    for (const threads of ['0', 'many', '2x', '1000']) {
      expect(failing({ SONOTEXT_THREADS: threads })).toContain(
        `BACKEND_UNAVAILABLE Expected an integer from 1 to 256 in SONOTEXT_THREADS, got "${threads}".`,
      )
    }
  })
})
