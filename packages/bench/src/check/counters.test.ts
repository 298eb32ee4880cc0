import { machineReport } from '@sonotext/core/backend'
import { loadAddon } from '@sonotext/native-cuda'
import { describe, expect, test } from 'vitest'
import { countAll } from './baselines.js'
import { counted } from './counters.js'
import { plants } from './plant.js'
import { root } from './repository.js'
import { coreFolder, openSide } from './side.js'

const { addonProblem } = machineReport()
if (addonProblem !== null) process.stderr.write('counters: skipped, the native addon is not built\n')

describe.skipIf(addonProblem !== null)('exact counters', () => {
  const ours = async () => (await openSide('this', coreFolder(root))).core

  test('typed arrays, copies and crossings are counted, and everything is as before afterwards', async () => {
    const addon = loadAddon()
    const before = { Float32Array, run: addon.run, set: Float32Array.prototype.set }
    const counts = await counted(addon, () => {
      const made = new Float32Array(10)
      const copy = made.slice(0, 4) // an allocation and a copy
      made.set(copy, 2)
      void made.subarray(1) // a view
      void Int32Array.from([1, 2, 3])
      void addon.threads()
    })
    expect(counts).toMatchObject({ allocations: 3, allocatedBytes: 40 + 16 + 12, crossings: 1, ops: {} })
    expect(counts.copiedBytes).toBeGreaterThanOrEqual(32)
    expect({ Float32Array, run: addon.run, set: Float32Array.prototype.set }).toEqual(before)
    expect(new Float32Array(1).constructor).toBe(before.Float32Array)
  })

  test('this tree does what is committed', async () => {
    const { findings } = await countAll(await ours())
    expect(findings.filter(({ verdict }) => verdict !== 'good')).toEqual([])
    expect(findings.length).toBeGreaterThan(7)
  })

  test.each(Object.keys(plants))('one more %s in every run is seen in all of them', async (name) => {
    const { findings } = await countAll(await ours(), { plant: plants[name]! })
    expect(findings.filter(({ verdict }) => verdict !== 'worse')).toEqual([])
    expect(findings.length).toBeGreaterThan(7)
  })
})
