import { type Addon, loadAddon } from '@sonotext/native-cuda'
import { afterAll, describe, expect, it } from 'vitest'
import { fuzz } from '../testing/fuzz/index.js'
import { nativeBackend } from './native.js'
import type { Backend, OpArgs, OpName } from './port.js'
import { referenceBackend } from './reference/index.js'

function addonOrReason(): Addon | string {
  try {
    return loadAddon()
  } catch (error) {
    return (error as Error).message.split('\n', 1)[0]!
  }
}

const none = { seed: 1, calls: 320, threads: [1], setThreads: () => {} }

/** The reference with a fault: what the fuzz must find. */
function faulty(
  spoil: (op: OpName, args: Record<string, Float32Array>) => void,
): ReadonlyMap<string, Backend> {
  const sound = referenceBackend()
  const run = <K extends OpName>(op: K, args: OpArgs[K]): void => {
    sound.run(op, args)
    spoil(op, args as unknown as Record<string, Float32Array>)
  }
  return new Map([['faulty', { ...sound, run, runAsync: async (op, args) => run(op, args) }]])
}

describe('the fuzz', () => {
  it('finds nothing in the reference itself, and compares calls of every op', async () => {
    const report = await fuzz({ ...none, backends: new Map([['reference', referenceBackend()]]) })
    expect(report.problems).toEqual([])
    expect(report.untouched).toEqual([])
    expect(report.compared).toBeGreaterThan(200)
    expect(report.refused).toBeGreaterThan(100)
  })

  it('finds a wrong number, and the call that shows it can be run alone', async () => {
    const backends = faulty((op, { out }) => {
      if (op === 'gemm' && out!.length > 7) out![7]! += 1e-3
    })
    const { problems } = await fuzz({ ...none, backends })
    expect(new Set(problems.map(({ op }) => op))).toEqual(new Set(['gemm']))
    const [{ at, what }] = problems as [(typeof problems)[0]]
    const alone = await fuzz({ ...none, only: ['gemm'], at, backends })
    expect(alone.problems[0]).toMatchObject({ at, what })
  })

  it('finds bits that depend on the run', async () => {
    let calls = 0
    const backends = faulty((op, { out }) => {
      if (op === 'add' && out!.length > 0 && calls++ % 2 === 1) out![0] = -0
    })
    const { problems } = await fuzz({ ...none, only: ['add'], threads: [1, 2], backends })
    expect(problems[0]!.what).toMatch(/faulty on 2 threads, out: element 0 of \d+ is 0 and was/)
  })

  it('finds a call that is accepted though it is wrong, or refused though it is right', async () => {
    const sound = referenceBackend()
    const lenient = { ...sound, run: () => {}, runAsync: async () => {} }
    const accepts = await fuzz({
      ...none,
      only: ['embedding'],
      calls: 40,
      backends: new Map([['lenient', lenient]]),
    })
    expect(
      accepts.problems.some(({ what }) => /lenient accepts .*, the reference refuses it/.test(what)),
    ).toBe(true)
    const strict = { ...sound, run: () => { throw new Error('no') } } // prettier-ignore
    const refuses = await fuzz({
      ...none,
      only: ['embedding'],
      calls: 1,
      threads: [1, 2],
      backends: new Map([['strict', strict]]),
    })
    expect(refuses.problems[0]!.what).toContain('strict on 1 threads: Error: no')
  })
})

const addon = addonOrReason()
describe.skipIf(typeof addon === 'string')(
  `native ops on random calls${typeof addon === 'string' ? ` (${addon})` : ''}`,
  () => {
    const { threads, setThreads, instructionSets } = addon as Addon
    const before = typeof addon === 'string' ? 1 : threads()
    afterAll(() => void (typeof addon === 'string' || setThreads(before)))

    it('agree with the reference and refuse what it refuses', async () => {
      const sets = instructionSets().filter(({ supported }) => supported)
      const backends = new Map(sets.map(({ name }) => [name, nativeBackend({ isa: name })]))
      const options = { seed: 1, calls: 320, threads: [1, 2, 3, 7], setThreads, backends }
      const { problems, untouched } = await fuzz(options)
      expect(problems).toEqual([])
      expect(untouched).toEqual([])
    })
  },
)
