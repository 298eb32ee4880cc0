import { describe, expect, it } from 'vitest'
import { leaksOf } from './leaks.mjs'
import { runStages, Skipped, table } from './run.mjs'
import { stages } from './stages.mjs'

describe('nightly', () => {
  const planted = [
    { name: 'good', run: () => '7 of 7' },
    { name: 'bad', run: () => Promise.reject(new Error('it broke\nwith details')) },
    { name: 'absent', run: () => Promise.reject(new Skipped('there is no clang++ on this machine')) },
  ]
  const results = async (inCi) => {
    const list = []
    await runStages(planted, { contextOf: () => ({}), onResult: (result) => list.push(result), inCi })
    return list
  }

  it('runs all stages, whatever happens to one, and says why', async () => {
    expect((await results(false)).map(({ stage, outcome, why }) => [stage, outcome, why])).toEqual([
      ['good', 'passed', '7 of 7'],
      ['bad', 'failed', 'it broke'],
      ['absent', 'skipped', 'there is no clang++ on this machine'],
    ])
  })

  it('takes a stage that cannot run for a failure in CI', async () => {
    expect((await results(true)).map(({ outcome }) => outcome)).toEqual(['passed', 'failed', 'failed'])
  })

  it('prints one table', async () => {
    const rows = [
      { stage: 'good', outcome: 'passed', seconds: 125, why: '7 of 7' },
      { stage: 'absent', outcome: 'skipped', seconds: 0, why: 'no clang++' },
    ]
    expect(table(rows)).toBe(
      [
        'stage   result   time       what it saw, or why not',
        'good    passed   2 min 5 s  7 of 7',
        'absent  skipped  0 s        no clang++',
        '1 passed, 0 failed, 1 skipped',
      ].join('\n'),
    )
  })

  it('has a name of its own for every stage', () => {
    const names = stages.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })
})

describe('leaks', () => {
  const report = (frame) => `=================================================================
==1==ERROR: LeakSanitizer: detected memory leaks

Direct leak of 40 byte(s) in 1 object(s) allocated from:
    #0 0x7f in operator new(unsigned long) asan_new_delete.cpp:95
    #1 0x7f in ${frame}
    #2 0x7f in napi_module_register_by_symbol

Indirect leak of 8 byte(s) in 1 object(s) allocated from:
    #0 0x7f in malloc
    #1 0x7f in node::Start(int, char**) (/usr/bin/node+0x12)

SUMMARY: AddressSanitizer: 48 byte(s) leaked in 2 allocation(s).`

  it('are ours when one frame is in the addon', () => {
    const { ours, others } = leaksOf(report('alloc /x/addon.cpp:12 (/x/Release/sonotext.node+0x1f)'))
    expect(ours).toHaveLength(1)
    expect(ours[0]).toMatch(/^Direct leak of 40 byte/)
    expect(others).toHaveLength(1)
  })

  it('are not ours when they are promises that nobody can settle any more', () => {
    const promise = report(
      'napi_create_promise (/usr/bin/node+0x12)\n    #2 0x7f in start (/x/sonotext.node+0x1f)',
    )
    expect(leaksOf(promise)).toMatchObject({ ours: [], others: { length: 2 } })
    const other = report(
      'napi_create_reference (/usr/bin/node+0x12)\n    #2 0x7f in start (/x/sonotext.node+0x1f)',
    )
    expect(leaksOf(other).ours).toHaveLength(1)
  })

  it("are Node's when none is, and none where nothing leaked", () => {
    expect(leaksOf(report('node::Environment (/usr/bin/node+0x1f)')).ours).toEqual([])
    expect(leaksOf('used 12 calls\n')).toEqual({ ours: [], others: [] })
  })
})
