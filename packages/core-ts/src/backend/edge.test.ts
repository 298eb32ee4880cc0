import { loadAddon } from '@sonotext/native-cuda'
import { describe, expect, it } from 'vitest'
import { accepted, arrayCases, type EdgeCase, edgeCases, integerCases } from '../testing/edge.cases.js'
import { chainBackends } from './chain.js'
import { nativeBackend } from './native.js'
import { openBackend } from './open.js'
import type { Backend } from './port.js'
import { referenceBackend } from './reference/index.js'

const backends: [string, Backend][] = [['reference', referenceBackend()]]
try {
  loadAddon()
  const sealed = nativeBackend({ device: 'sealed' })
  const lacking: Backend = { ...sealed, supports: (op) => sealed.supports(op) && op === 'add' }
  const options = { onFallback: () => {} }
  backends.push(
    ['cpu', nativeBackend()],
    ['sealed', sealed],
    ['chain from cpu', chainBackends(nativeBackend(), [referenceBackend()], options)],
    ['chain from a device that lacks the op', chainBackends(lacking, [referenceBackend()], options)],
  )
} catch (error) {
  process.stderr.write(`native edge skipped: ${(error as Error).message}\n`)
}

it.each([
  ['referenceBackend', referenceBackend],
  ['nativeBackend', nativeBackend],
  ['openBackend', openBackend],
  ['chainBackends', (options: never) => chainBackends(referenceBackend(), [], options)],
] as [string, (options: never) => unknown][])('%s refuses what are no options', (name, open) => {
  for (const options of [null, 'cpu', 5] as never[])
    expect(() => open(options)).toThrow(`Expected an object of options for ${name}, got `)
})

describe.each(backends)('%s', (_, backend) => {
  const hasArrays = ArrayBuffer.isView(backend.memory.alloc(1))
  const cases = [...edgeCases, ...integerCases, ...(hasArrays ? arrayCases : [])]

  it.each<EdgeCase>(cases)('refuses $name', async ({ call, message }) => {
    const refused = expect.objectContaining({
      name: 'SonotextError',
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(message) as string,
    }) as unknown
    await expect((async () => call(backend))()).rejects.toEqual(refused)
  })

  it.each(accepted)('takes $name', async ({ args }) => {
    for (const run of [backend.run, backend.runAsync] as const) {
      const own = args(backend)
      await run('gemm', own)
      expect(backend.memory.download(own.out)[0]).toBe(4)
    }
  })

  it('reads every argument of an asynchronous call once', async () => {
    const [x, out] = [backend.memory.alloc(1), backend.memory.alloc(1)]
    backend.memory.fill(x, 2)
    let reads = 0
    await backend.runAsync('scale', {
      x,
      out,
      get factor() {
        return ++reads
      },
    })
    expect(reads).toBe(1)
    expect(backend.memory.download(out)[0]).toBe(2)
  })
})
