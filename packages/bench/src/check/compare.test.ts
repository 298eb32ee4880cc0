import { machineReport } from '@sonotext/core/backend'
import { describe, expect, test } from 'vitest'
import { compareBuilds, type CompareOptions, slowOf } from './compare.js'
import { root } from './repository.js'
import { coreFolder } from './side.js'

const { addonProblem } = machineReport()

const options = (asked: Partial<CompareOptions>): CompareOptions => ({
  ...{ now: coreFolder(root), before: coreFolder(root), only: null, slow: [], accepted: [], budget: 5 },
  ...{ benchFile: null, parts: ['time'], closer: (key) => `look at ${key}` },
  ...asked,
})

test('names that stand for nothing are refused, wherever they are given', async () => {
  const refused = (asked: Partial<CompareOptions>) =>
    expect(compareBuilds(options(asked))).rejects.toThrow(/nothing called "gem"/)
  await refused({ only: ['gem'] })
  await refused({ slow: [['gem', 2]] })
  await refused({ accepted: ['gem'] })
})

test('slow-downs are read as NAME or NAME:FACTOR', () => {
  expect(slowOf('gemm,gru:2')).toEqual([
    ['gemm', 1.25],
    ['gru', 2],
  ])
  for (const wrong of ['gemm:0.5', 'gemm:x', ':2', 'gemm:1:2'])
    expect(() => slowOf(wrong)).toThrow(/NAME:FACTOR/)
})

describe.skipIf(addonProblem !== null)('two builds of one tree', () => {
  // What others do on this machine decides between "worse" and "undecided"; never is the wrong one of them said.
  test('unchanged, nothing is slower; slowed to twice its time, an op is not good', async () => {
    const same = await compareBuilds(options({ only: ['scale', 'search_one'] }))
    expect(same.map(({ key }) => key)).toEqual(['search_one', 'scale', 'scale'])
    for (const { verdict } of same) expect(['good', 'better', 'undecided']).toContain(verdict)
    const slow = await compareBuilds(options({ only: ['scale', 'search_one'], slow: [['scale', 2]] }))
    const ofScale = slow.filter(({ key }) => key === 'scale').map(({ verdict }) => verdict)
    for (const verdict of ofScale) expect(['worse', 'undecided']).toContain(verdict)
    for (const { verdict } of slow.filter(({ key }) => key !== 'scale')) expect(verdict).not.toBe('worse')
  })

  test('a tenth more memory is found, the same is not', async () => {
    const of = async (waste: number) => {
      const [finding] = await compareBuilds(options({ only: ['feature_run'], parts: ['memory'], waste }))
      return finding!.verdict
    }
    expect(await of(0.1)).toBe('worse')
    expect(await of(0)).not.toBe('worse')
  })

  test('what has no turn within the budget is said not to be judged', async () => {
    const findings = await compareBuilds(options({ only: ['scale', 'add'], budget: 0 }))
    expect(findings.map(({ verdict }) => verdict)).toContain('unjudged')
    expect(findings.at(-1)!.what).toContain('--budget')
  })
})
