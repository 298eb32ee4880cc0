import { type Addon, loadAddon } from '@sonotext/native-cuda'
import { afterAll, describe, expect, test } from 'vitest'
import {
  type AnyOpCase,
  backendCases,
  bitDifferences,
  casesByOp,
  checkCase,
  gradientProblems,
  isDifferentiable,
  type Outputs,
  runCase,
  tolerance,
} from '../testing/index.js'
import { nativeBackend } from './native.js'
import { referenceBackend } from './reference/index.js'

const ops = [...casesByOp]
const reference = referenceBackend({ precision: 'float64' })

/** Results of the reference, computed once for all backends. */
const wanted = new Map<AnyOpCase, Outputs>()
function wantedOf(testCase: AnyOpCase): Outputs {
  const known = wanted.get(testCase)
  if (known) return known
  const outputs = runCase(reference, testCase)
  wanted.set(testCase, outputs)
  return outputs
}

/** What `problemsOf` finds in all cases; a throw is a problem of its case and hides no other. */
function problemsIn(cases: readonly AnyOpCase[], problemsOf: (testCase: AnyOpCase) => string[]): string[] {
  return cases.flatMap((testCase) => {
    try {
      return problemsOf(testCase)
    } catch (error) {
      return [`${testCase.op}, ${testCase.name}: ${String(error)}`]
    }
  })
}

test('every op has cases, each with its own name', () => {
  expect(ops.map(([op]) => op).sort()).toEqual(Object.keys(tolerance).sort())
  const names = backendCases.map(({ op, name }) => `${op} ${name}`)
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
})

describe('reference in float32 against float64', () => {
  const float32 = referenceBackend()
  test.for(ops)('%s', ([, cases]) => {
    expect(problemsIn(cases, (testCase) => checkCase(float32, testCase, wantedOf(testCase)))).toEqual([])
  })
})

describe('gradients of the reference against finite differences', () => {
  const differentiable = ops
    .map(([op, cases]) => [op, cases.filter(isDifferentiable)] as const)
    .filter(([, cases]) => cases.length > 0)
  test.for(differentiable)('%s', ([, cases]) => {
    expect(problemsIn(cases, gradientProblems)).toEqual([])
  })
})

function addonOrReason(): Addon | string {
  try {
    return loadAddon()
  } catch (error) {
    return (error as Error).message
  }
}

const addon = addonOrReason()
if (typeof addon === 'string') {
  process.stderr.write(`native conformance skipped: ${addon}\n`)
  test.skip('native backends', () => {})
} else {
  const defaultThreads = addon.threads()
  afterAll(() => void addon.setThreads(defaultThreads))

  const supported = addon.instructionSets().filter((set) => set.supported)
  for (const { name: isa } of supported) {
    const cpu = nativeBackend({ device: 'cpu', isa })

    describe(`cpu ${isa}`, () => {
      test.for(ops)('%s agrees with the float64 reference', ([, cases]) => {
        addon.setThreads(2)
        expect(problemsIn(cases, (testCase) => checkCase(cpu, testCase, wantedOf(testCase)))).toEqual([])
      })

      test.for(ops)('%s gives the same bits on 1, 2 and 3 threads', ([, cases]) => {
        const onThreads = (count: number) => {
          addon.setThreads(count)
          return new Map(cases.map((testCase) => [testCase, runCase(cpu, testCase)]))
        }
        const one = onThreads(1)
        for (const other of [onThreads(2), onThreads(3)]) {
          const differences = (testCase: AnyOpCase) =>
            bitDifferences(testCase, one.get(testCase)!, other.get(testCase)!)
          expect(problemsIn(cases, differences)).toEqual([])
        }
      })
    })
  }

  describe('sealed device', () => {
    const cpu = nativeBackend({ device: 'cpu' })
    const sealed = nativeBackend({ device: 'sealed' })
    test.for(ops)('%s gives the bits of the cpu', ([, cases]) => {
      const differences = (testCase: AnyOpCase) =>
        bitDifferences(testCase, runCase(cpu, testCase), runCase(sealed, testCase))
      expect(problemsIn(cases, differences)).toEqual([])
    })
  })
}
