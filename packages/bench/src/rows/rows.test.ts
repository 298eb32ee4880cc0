import { machineReport, nativeBackend, type OpName, signatures } from '@sonotext/core/backend'
import { expect, test } from 'vitest'
import { drawnRow } from './drawn-row.js'
import { everyOpRows } from './every-op.js'
import type { AnyKernelRow } from './kernel-rows.js'

const { addonProblem } = machineReport()

/** Runs a row on the native backend, which checks its arguments. */
function run({ op, args }: AnyKernelRow): void {
  ;(nativeBackend().run as (op: string, args: unknown) => void)(op, args)
}

test.skipIf(addonProblem !== null)('every op has a row, and runs', async () => {
  const rows = await everyOpRows('small')
  expect(new Set(rows.map(({ op }) => op))).toEqual(new Set(Object.keys(signatures)))
  for (const row of rows) run(row)
})

test.skipIf(addonProblem !== null)(
  'the signature alone gives a call of nearly every op: a new one needs no row, or says so',
  () => {
    const draw = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i) / 2)
    for (const op of Object.keys(signatures) as OpName[]) {
      const row = drawnRow(op, draw)
      // Whose arguments hang together by more than sizes has a row written by hand.
      if (typeof row === 'string') expect(row).toContain('write a row for it')
      else run(row as AnyKernelRow)
    }
  },
)
