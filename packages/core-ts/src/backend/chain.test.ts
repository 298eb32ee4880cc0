import { describe, expect, it } from 'vitest'
import { SonotextError } from '../base/errors.js'
import { chainBackends } from './chain.js'
import { nativeBackend } from './native.js'
import type { Backend, OpArgs, OpName } from './port.js'
import { referenceBackend } from './reference/index.js'

/** A backend that lacks some ops, or turns them down when they are called. */
function lacking(backend: Backend, missing: readonly OpName[], refused: readonly OpName[] = []): Backend {
  const refuse = (op: OpName) => {
    if (missing.includes(op) || refused.includes(op)) throw new SonotextError('UNSUPPORTED', `no ${op}`)
  }
  return {
    ...backend,
    info: { ...backend.info, device: 'first' },
    supports: (op) => !missing.includes(op),
    run(op, args) {
      refuse(op)
      backend.run(op, args)
    },
    async runAsync(op, args, options) {
      refuse(op)
      await backend.runAsync(op, args, options)
    },
  }
}

/** A backend that writes down what it runs, and turns some calls down. */
function spy(
  name: string,
  ran: string[],
  backend: Backend,
  refuses: (args: object) => boolean = () => false,
): Backend {
  const note = (op: OpName, args: object) => {
    if (refuses(args)) throw new SonotextError('UNSUPPORTED', `not this ${op}`)
    ran.push(`${name} ${op}`)
  }
  return {
    ...backend,
    run(op, args) {
      note(op, args)
      backend.run(op, args)
    },
    async runAsync(op, args, options) {
      note(op, args)
      await backend.runAsync(op, args, options)
    },
  }
}

function gruCalls(): { forward: OpArgs['gru']; backward: OpArgs['gru_backward'] } {
  const f = (n: number) => new Float32Array(n).fill(0.1)
  const shape = { n: 1, t: 2, in: 2, hidden: 1, directions: 1 }
  const shared = { ...shape, x: f(4), wIh: f(6), wHh: f(3), bHh: f(3), out: f(2), saved: f(8) }
  const grads = { gradX: f(4), gradWIh: f(6), gradWHh: f(3), gradBIh: f(3), gradBHh: f(3) }
  return { forward: { ...shared, bIh: f(3) }, backward: { ...shared, gradOut: f(2), ...grads } }
}

function upload(backend: Backend, values: readonly number[]) {
  const buffer = backend.memory.alloc(values.length)
  backend.memory.upload(values, buffer)
  return buffer
}

const sealed = () => nativeBackend({ device: 'sealed' })

describe('chainBackends', () => {
  it('hands an op the first backend lacks to the next, and says so once per op', async () => {
    const messages: string[] = []
    const chain = chainBackends(lacking(sealed(), ['scale', 'add']), [referenceBackend()], {
      onFallback: (message) => messages.push(message),
    })
    const x = upload(chain, [1, 2, 3])
    const out = upload(chain, [0, 0, 0])
    chain.run('scale', { x, out, factor: 2 })
    expect([...chain.memory.download(out)]).toEqual([2, 4, 6])
    await chain.runAsync('scale', { x: out, out, factor: 0.5 })
    expect([...chain.memory.download(out)]).toEqual([1, 2, 3])
    chain.run('add', { a: x, b: out, out, alpha: 1, beta: 1 })
    expect([...chain.memory.download(out)]).toEqual([2, 4, 6])
    expect(messages).toEqual([
      'first has no scale: reference takes it',
      'first has no add: reference takes it',
    ])
    expect(chain.supports('scale')).toBe(false)
    expect(chain.supports('gemm')).toBe(true)
    expect(chain.info.device).toBe('first')
  })

  it('keeps what an inout argument held', () => {
    const chain = chainBackends(lacking(sealed(), ['gemm']), [referenceBackend()], { onFallback: () => {} })
    const out = upload(chain, [10])
    const args = { bias: null, m: 1, n: 1, k: 2, transA: 0, transB: 0, alpha: 1, beta: 1, slope: 1 }
    chain.run('gemm', { ...args, a: upload(chain, [1, 2]), b: upload(chain, [3, 4]), out })
    expect([...chain.memory.download(out)]).toEqual([21])
  })

  it('passes an op on when the first backend has an entry but turns the call down', () => {
    const messages: string[] = []
    const onFallback = (message: string) => messages.push(message)
    const chain = chainBackends(lacking(referenceBackend(), [], ['scale']), [referenceBackend()], {
      onFallback,
    })
    const out = new Float32Array(1)
    for (let i = 0; i < 3; i++) chain.run('scale', { x: new Float32Array([i]), out, factor: 3 })
    expect(out[0]).toBe(6)
    expect(messages).toEqual(['first does not take every call of scale: reference takes the others'])
  })

  it('asks the first backend again after a call that it turned down', async () => {
    const ran: string[] = []
    const picky = spy('first', ran, referenceBackend(), (args) => (args as { factor: number }).factor === 2)
    const second = spy('second', ran, referenceBackend())
    const chain = chainBackends(picky, [second], { onFallback: () => {} })
    const x = Float32Array.of(1)
    for (const factor of [3, 2, 3]) chain.run('scale', { x, out: x, factor })
    for (const factor of [3, 2, 3]) await chain.runAsync('scale', { x, out: x, factor })
    expect(ran).toEqual(
      ['first', 'second', 'first', 'first', 'second', 'first'].map((name) => `${name} scale`),
    )
    expect(x[0]).toBe(18 * 18)
  })

  it('runs gru_backward where gru ran: what lies between them is private to a backend', () => {
    const ran: string[] = []
    const first = spy('first', ran, lacking(referenceBackend(), ['gru_backward']))
    const second = spy('second', ran, referenceBackend())
    const chain = chainBackends(first, [second], { onFallback: () => {} })
    const { forward, backward } = gruCalls()
    chain.run('gru', forward)
    chain.run('gru_backward', backward)
    expect(ran).toEqual(['second gru', 'second gru_backward'])
  })

  it('runs each gru_backward where its own gru ran when the first backend turned one of them down', async () => {
    const ran: string[] = []
    const picky = spy('first', ran, referenceBackend(), (args) => (args as { x: Float32Array }).x[0] === 7)
    const chain = chainBackends(picky, [spy('second', ran, referenceBackend())], { onFallback: () => {} })
    const [odd, plain] = [gruCalls(), gruCalls()]
    ;(odd.forward.x as Float32Array)[0] = 7
    chain.run('gru', odd.forward)
    await chain.runAsync('gru', plain.forward)
    chain.run('gru_backward', {
      ...plain.backward,
      saved: (plain.backward.saved as Float32Array).subarray(0),
    })
    chain.run('gru_backward', { ...odd.backward, x: plain.forward.x })
    expect(ran).toEqual(['second gru', 'first gru', 'first gru_backward', 'second gru_backward'])
  })

  it('keeps a buffer that is given back while another backend computes with it', async () => {
    const chain = chainBackends(lacking(nativeBackend(), ['scale']), [referenceBackend()], {
      onFallback: () => {},
    })
    const [x, out] = [upload(chain, [1, 2, 3]), upload(chain, [0, 0, 0])]
    const running = chain.runAsync('scale', { x, out, factor: 2 })
    chain.memory.free(out)
    const other = upload(chain, [7, 7, 7])
    await running
    expect([...chain.memory.download(other)]).toEqual([7, 7, 7])
  })

  it('keeps a buffer that is given back while the first backend turns the call down', async () => {
    const cpu = nativeBackend()
    const slow: Backend = {
      ...cpu,
      async runAsync() {
        await new Promise(setImmediate)
        throw new SonotextError('UNSUPPORTED', 'not this one')
      },
    }
    const chain = chainBackends(slow, [referenceBackend()], { onFallback: () => {} })
    const [x, out] = [upload(chain, [1, 2, 3]), upload(chain, [0, 0, 0])]
    const running = chain.runAsync('scale', { x, out, factor: 2 })
    chain.memory.free(x)
    upload(chain, [7, 7, 7])
    await running
    expect([...chain.memory.download(out)]).toEqual([2, 4, 6])
  })

  it('ends its backends with itself', () => {
    const second = referenceBackend()
    const chain = chainBackends(lacking(referenceBackend(), ['scale']), [second], { onFallback: () => {} })
    chain.trim()
    chain[Symbol.dispose]()
    const x = Float32Array.of(1)
    const disposed = expect.objectContaining({ code: 'BACKEND_UNAVAILABLE' }) as unknown
    expect(() => chain.run('scale', { x, out: x, factor: 1 })).toThrow(disposed)
    expect(() => second.run('scale', { x, out: x, factor: 1 })).toThrow(disposed)
  })

  it('does not hide errors, and reports an op nobody has', () => {
    const chain = chainBackends(lacking(referenceBackend(), ['scale']), [
      lacking(referenceBackend(), ['scale']),
    ])
    const x = new Float32Array(2)
    expect(() => chain.run('scale', { x, out: x, factor: 1 })).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED' }),
    )
    expect(() => chain.run('add', { a: x, b: x, out: new Float32Array(3), alpha: 1, beta: 1 })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
  })
})
