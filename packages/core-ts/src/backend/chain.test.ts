import { describe, expect, it } from 'vitest'
import { SonotextError } from '../base/errors.js'
import { chainBackends } from './chain.js'
import { nativeBackend } from './native.js'
import type { Backend, OpName } from './port.js'
import { referenceBackend } from './reference/index.js'

/** A backend that lacks some ops, or turns them down when they are called. */
function lacking(backend: Backend, missing: readonly OpName[], refused: readonly OpName[] = []): Backend {
  const refuse = (op: OpName) => {
    if (missing.includes(op) || refused.includes(op)) throw new SonotextError('UNSUPPORTED', `no ${op}`)
  }
  return {
    info: { ...backend.info, device: 'first' },
    memory: backend.memory,
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
    expect(messages).toHaveLength(1)
  })

  it('runs gru_backward where gru ran: what lies between them is private to a backend', () => {
    const ran: string[] = []
    const spy = (name: string, backend: Backend): Backend => ({
      ...backend,
      run(op, args) {
        ran.push(`${name} ${op}`)
        backend.run(op, args)
      },
    })
    const first = spy('first', lacking(referenceBackend(), ['gru_backward']))
    const chain = chainBackends(first, [spy('second', referenceBackend())], { onFallback: () => {} })
    const f = (n: number) => new Float32Array(n).fill(0.1)
    const shape = { n: 1, t: 2, in: 2, hidden: 1, directions: 1 }
    const weights = { x: f(4), wIh: f(6), wHh: f(3), bHh: f(3) }
    const [out, saved] = [f(2), f(8)]
    chain.run('gru', { ...shape, ...weights, bIh: f(3), out, saved })
    const grads = { gradX: f(4), gradWIh: f(6), gradWHh: f(3), gradBIh: f(3), gradBHh: f(3) }
    chain.run('gru_backward', { ...shape, ...weights, out, saved, gradOut: f(2), ...grads })
    expect(ran).toEqual(['second gru', 'second gru_backward'])
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
