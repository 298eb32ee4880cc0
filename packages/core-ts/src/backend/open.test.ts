import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, it } from 'vitest'
import { load, nativeBackend } from './native.js'
import { openBackend, type OpenBackendOptions } from './open.js'
import type { Backend } from './port.js'
import { referenceBackend } from './reference/index.js'

const threads = load().threads()
afterEach(() => void load().setThreads(threads))

describe('openBackend', () => {
  it('takes the native CPU by default and says so', () => {
    const { info } = openBackend()
    expect(info).toMatchObject({ device: 'cpu', reason: 'native addon, chosen automatically' })
    expect(info.isa).toMatch(/^(scalar|avx2|avx512|neon)$/)
  })

  it('takes what is named', () => {
    expect(openBackend({ device: 'reference' }).info.device).toBe('reference')
    expect(openBackend({ device: 'sealed' }).info.device).toBe('sealed')
    expect(openBackend({ device: 'cpu', isa: 'scalar' }).info.isa).toBe('scalar')
  })

  it('sets the size of the pool', () => {
    expect(openBackend({ threads: 3 }).info.threads).toBe(3)
    expect(load().threads()).toBe(3)
    expect(() => openBackend({ threads: 0 })).toThrow(/Expected an integer from 1 to 256 for threads, got 0/)
  })

  it('refuses options it does not have, and an instruction set for the reference', () => {
    const misspelt = { devise: 'sealed' } as OpenBackendOptions
    expect(() => openBackend(misspelt)).toThrow(/device, isa, matmul, threads or onFallback.*devise/)
    expect(() => openBackend({ device: 'reference', isa: 'avx2' })).toThrow(/isa/)
  })

  it('rounds operands of products where a device has kernels for it, and refuses elsewhere', () => {
    for (const device of ['reference', 'cpu', 'sealed'] as const) {
      for (const matmul of ['fp32', 'bf16'] as const)
        expect(openBackend({ device, matmul }).info.matmul).toBe(matmul)
      expect(openBackend({ device }).info.matmul).toBe('fp32')
      expect(() => openBackend({ device, matmul: 'tf32' })).toThrow(/fp32.* or .*bf16/)
    }
    expect(openBackend({ matmul: 'bf16' }).info).toMatchObject({ device: 'cpu', matmul: 'bf16' })
    expect(() => openBackend({ matmul: 'tf32' })).toThrow(
      /The CPU multiplies in fp32 or bf16; tf32 is for CUDA devices/,
    )
    expect(() => referenceBackend({ matmul: 'tf32' as 'bf16' })).toThrow(/'fp32' or 'bf16' for matmul/)
    const misspelt = { matmul: 'half' } as unknown as OpenBackendOptions
    expect(() => openBackend(misspelt)).toThrow(/'fp32', 'tf32' or 'bf16' for matmul.*half/)
    expect(() => load().openDevice('cpu', null, 'half' as 'bf16')).toThrow(
      /fp32, tf32 or bf16, not of "half"/,
    )
  })

  it('keeps a buffer that is given back while an op of another backend uses it', async () => {
    const [one, two] = [openBackend(), openBackend()]
    const [x, out] = [one.memory.alloc(1 << 20), one.memory.alloc(1 << 20)]
    one.memory.fill(x, 1)
    const running = two.runAsync('scale', { x, out, factor: 2 })
    one.memory.free(out)
    const next = one.memory.alloc(1 << 20) as Float32Array
    expect(next.buffer).not.toBe((out as Float32Array).buffer)
    await running
    expect((one.memory.alloc(1 << 20) as Float32Array).buffer).toBe((out as Float32Array).buffer)
  })

  it('takes arrays of another realm as its own', () => {
    const { memory } = openBackend()
    const array = runInNewContext('new Float32Array(2)') as Float32Array
    memory.upload([3, 4], array)
    expect([...array]).toEqual([3, 4])
  })

  it('refuses what is not there instead of taking another', () => {
    expect(() => openBackend({ device: 'cuda:77' })).toThrow(
      expect.objectContaining({ code: 'BACKEND_UNAVAILABLE' }),
    )
    expect(() => openBackend({ isa: 'mmx' })).toThrow(/Unknown instruction set "mmx"/)
    expect(() => openBackend({ device: 'gpu' as 'cuda' })).toThrow(
      /Expected 'auto', 'reference', .* got "gpu"/,
    )
  })

  it('falls back to the reference without an addon when nothing is named, with one warning and the reason', () => {
    const { stdout, stderr } = withoutAddon(`
      const { info } = openBackend()
      openBackend()
      console.log(info.device, info.reason.split('\\n')[0])
      openBackend({ onFallback: (message) => console.log('told:', message.split('\\n')[0]) })
      try { openBackend({ device: 'cpu' }) } catch (error) { console.log(error.code, error.message) }`)
    expect(stdout).toMatch(
      /^reference the native addon is not available: The native addon of Sonotext could not be/,
    )
    expect(stdout).toMatch(/^told: Computing on the plain TypeScript reference, tens of times slower/m)
    expect(stdout).toMatch(
      /BACKEND_UNAVAILABLE [\s\S]*\/nowhere\/sonotext\.node: no such file[\s\S]*npm run setup/,
    )
    expect(stderr.match(/\[SONOTEXT_REFERENCE\] Warning: Computing on the plain/g)).toHaveLength(1)
  })

  it('refuses the reference where the environment asks for the addon', () => {
    const program = `try { openBackend(); console.log('opened') } catch (error) { console.log(error.code) }`
    expect(withoutAddon(program, { SONOTEXT_REQUIRE_NATIVE: '1' }).stdout).toBe('BACKEND_UNAVAILABLE\n')
    expect(withoutAddon(program, { SONOTEXT_REQUIRE_NATIVE: '0' }).stdout).toBe('opened\n')
  })
})

describe('an addon that was built from other sources', () => {
  it('is refused by name, with what to do; auto takes the reference', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sonotext-stale-'))
    const addon = join(folder, 'addon.cjs')
    writeFileSync(addon, `module.exports = { ops: () => [{ name: 'scale', args: [{ name: 'x' }] }] }`)
    const named = withoutAddon(
      `try { openBackend({ device: 'cpu' }) } catch ({ code, message }) { console.log(code, message) }`,
      { SONOTEXT_ADDON: addon },
    )
    expect(named.stdout).toMatch(/^BACKEND_UNAVAILABLE .*other sources: \d+ differ .*npm run setup/)
    const auto = withoutAddon(`console.log(openBackend().info.device)`, { SONOTEXT_ADDON: addon })
    expect(auto.stdout).toBe('reference\n')
    expect(auto.stderr).toContain('other sources')
    rmSync(folder, { recursive: true })
  })
})

/** Runs a program that has `openBackend`, in a process that finds no addon. */
function withoutAddon(program: string, more: NodeJS.ProcessEnv = {}) {
  const module = fileURLToPath(new URL('./open.ts', import.meta.url))
  const alias = `
    import { registerHooks } from 'node:module'
    registerHooks({
      resolve: (name, context, next) => {
        if (name === '@sonotext/native-cuda') name = ${JSON.stringify(nativeSource())}
        return next(name.startsWith('.') || name.startsWith('/') ? name.replace(/\\.js$/, '.ts') : name, context)
      },
    })
    const { openBackend } = await import(${JSON.stringify(module)})
    ${program}`
  const env = { ...process.env, SONOTEXT_ADDON: '/nowhere/sonotext.node', ...more }
  const args = ['--input-type=module', '-e', alias]
  return spawnSync(process.execPath, args, { encoding: 'utf8', env })
}

function nativeSource(): string {
  return fileURLToPath(new URL('../../../native-cuda/src/index.ts', import.meta.url))
}

describe('a disposed backend', () => {
  const open: [string, () => Backend][] = [
    ['cpu', () => openBackend()],
    ['sealed', () => openBackend({ device: 'sealed' })],
    ['reference', () => openBackend({ device: 'reference' })],
  ]
  it.each(open)('on %s refuses every use, whatever runs is finished', async (device, make) => {
    const backend = make()
    const [x, out] = [backend.memory.alloc(8), backend.memory.alloc(8)]
    backend.memory.fill(x, 1)
    const scale = { x, out, factor: 3 }
    const running = backend.runAsync('scale', scale)
    backend[Symbol.dispose]()
    backend[Symbol.dispose]()
    await running
    const uses = [
      () => backend.memory.alloc(1),
      () => backend.memory.upload([1], x),
      () => backend.memory.download(out),
      () => backend.memory.fill(x, 0),
      () => backend.memory.copy(x, out),
      () => backend.supports('scale'),
      () => backend.run('scale', scale),
      () => backend.trim(),
    ]
    for (const use of uses) {
      expect(use).toThrow(
        expect.objectContaining({
          code: 'BACKEND_UNAVAILABLE',
          message: expect.stringMatching(`The backend ${device} was disposed. .*openBackend`) as string,
        }),
      )
    }
    await expect(backend.runAsync('scale', scale)).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE' })
    backend.memory.free(x)
    expect(backend.info.device).toBe(device)
  })
})

describe('nativeBackend', () => {
  it('turns errors of the addon into SonotextErrors', () => {
    const backend = nativeBackend()
    const x = new Float32Array(2)
    expect(() => backend.run('scale', { x, out: new Float32Array(3), factor: 1 })).toThrow(
      expect.objectContaining({ name: 'SonotextError', code: 'INVALID_ARGUMENT' }),
    )
  })

  it('stops an op by its signal, before and while it runs', async () => {
    const backend = nativeBackend()
    const n = 3000
    const args = {
      a: new Float32Array(n * n),
      b: new Float32Array(n * n),
      bias: null,
      out: new Float32Array(n * n),
    }
    const gemm = { ...args, m: n, n, k: n, transA: 0, transB: 0, alpha: 1, beta: 0, slope: 1 }
    const aborted = AbortSignal.abort(new Error('enough'))
    await expect(backend.runAsync('gemm', gemm, { signal: aborted })).rejects.toMatchObject({
      code: 'ABORTED',
      cause: aborted.reason as unknown,
    })
    const controller = new AbortController()
    const running = backend.runAsync('gemm', gemm, { signal: controller.signal })
    setImmediate(() => controller.abort())
    await expect(running).rejects.toMatchObject({ name: 'SonotextError', code: 'ABORTED' })
  })

  it('stops a call whose arguments abort it while they are read', async () => {
    for (const backend of [nativeBackend(), openBackend()]) {
      const controller = new AbortController()
      const args = { x: new Float32Array(4), out: new Float32Array(4), factor: 2 }
      const get = () => {
        controller.abort()
        return 2
      }
      Object.defineProperty(args, 'factor', { get, enumerable: true })
      const running = backend.runAsync('scale', args, controller)
      await expect(running).rejects.toMatchObject({ code: 'ABORTED' })
    }
  })

  it.each(['cpu', 'sealed'])('lets a buffer of %s be freed while an op runs on it', async (device) => {
    const backend = nativeBackend({ device })
    const n = 1024
    const [a, b, out] = [1, 2, 3].map(() => backend.memory.alloc(n * n))
    // Ends long after the next buffer is filled.
    const running = backend.runAsync('gemm', {
      ...{ a: a!, b: b!, bias: null, out: out!, m: n, n, k: n },
      ...{ transA: 0, transB: 0, alpha: 1, beta: 0, slope: 1 },
    })
    for (const buffer of [a!, b!, out!]) backend.memory.free(buffer)
    const next = [1, 2, 3].map(() => backend.memory.alloc(n * n))
    for (const buffer of next) backend.memory.fill(buffer, 7)
    await running
    for (const buffer of next) {
      expect(backend.memory.download(buffer).every((value) => value === 7)).toBe(true)
    }
  })

  it('holds buffers of arguments that are inherited or come from getters', async () => {
    const backend = nativeBackend()
    const n = 1 << 20
    const buffers = () => ({ x: backend.memory.alloc(n), out: backend.memory.alloc(n), factor: 2 })
    const [one, two] = [buffers(), buffers()]
    const inherited = Object.create(one) as typeof one
    class Getters {
      get x() {
        return two.x
      }
      out = two.out
      factor = 2
    }
    const running = [inherited, new Getters()].map((args) => backend.runAsync('scale', args))
    for (const { x, out } of [one, two]) for (const buffer of [x, out]) backend.memory.free(buffer)
    const later = [1, 2, 3, 4].map(() => backend.memory.alloc(n) as Float32Array)
    for (const buffer of later)
      expect(
        [one, two].some(({ x, out }) => [x, out].some((b) => (b as Float32Array).buffer === buffer.buffer)),
      ).toBe(false)
    await Promise.all(running)
  })

  it('gives a buffer that was freed while ops ran on it back once, when the last has settled', async () => {
    const { memory, runAsync } = nativeBackend()
    const x = memory.alloc(1 << 16) as Float32Array
    const half = x.subarray(0, 1 << 15) // a part of a buffer holds the whole of it
    const running = [1, 2].map((factor) => runAsync('scale', { x: half, out: memory.alloc(1 << 15), factor }))
    memory.free(x)
    memory.free(x)
    expect((memory.alloc(1 << 16) as Float32Array).buffer).not.toBe(x.buffer)
    await Promise.all(running)
    expect((memory.alloc(1 << 16) as Float32Array).buffer).toBe(x.buffer)
    expect((memory.alloc(1 << 16) as Float32Array).buffer).not.toBe(x.buffer)
  })

  it('gives the memory that it keeps back', () => {
    const backend = nativeBackend()
    const n = 512
    const [a, b, out] = [1, 2, 3].map(() => backend.memory.alloc(n * n) as Float32Array)
    backend.run('gemm', {
      ...{ a: a!, b: b!, bias: null, out: out!, m: n, n, k: n },
      ...{ transA: 0, transB: 0, alpha: 1, beta: 0, slope: 1 },
    })
    backend.memory.free(a!)
    expect(load().kept()).toBeGreaterThan(0)
    backend.trim()
    expect(load().kept()).toBe(0)
    expect((backend.memory.alloc(n * n) as Float32Array).buffer).not.toBe(a!.buffer)
  })

  it('keeps a sealed tensor out of reach except by upload and download', () => {
    const backend = nativeBackend({ device: 'sealed' })
    const buffer = backend.memory.alloc(3)
    expect(ArrayBuffer.isView(buffer)).toBe(false)
    expect(Object.keys(buffer).sort()).toEqual(['device', 'length'])
    backend.memory.upload([1, 2, 3], buffer)
    backend.run('scale', { x: buffer, out: buffer, factor: 2 })
    const copy = backend.memory.download(buffer)
    expect([...copy]).toEqual([2, 4, 6])
    copy.fill(0)
    expect([...backend.memory.download(buffer)]).toEqual([2, 4, 6])
    expect(() => backend.memory.upload([1, 2], buffer)).toThrow(/a Float32Array of length 3 for source/)
    backend.memory.free(buffer)
    expect(() => backend.memory.download(buffer)).toThrow(/got one that was disposed/)
  })

  it('checks lengths of host memory', () => {
    const { memory } = nativeBackend()
    expect(() => memory.upload([1, 2], memory.alloc(3))).toThrow(/2 elements like the source for target/)
    expect(() => memory.copy(memory.alloc(2), memory.alloc(3))).toThrow(/Expected/)
  })
})
