import { machineReport, type OpName, signatures } from '@sonotext/core/backend'
import { describe, expect, test } from 'vitest'
import { missing } from '../../../../tools/program.mjs'
import { everyOpRows } from '../rows/every-op.js'
import { countKernels } from './baselines.js'
import { instructionFindings } from './counter-findings.js'
import { cannotCount, countInstructions, instructionsProgram, rowName } from './instructions.js'
import { root } from './repository.js'

const { addonProblem, instructionSets } = machineReport()
const program = instructionsProgram(root)
const reason = addonProblem ?? missing('valgrind') ?? cannotCount(root)
if (reason !== null) process.stderr.write(`instructions: skipped, ${reason}\n`)

describe.skipIf(reason !== null || process.arch !== 'x64')('counting instructions', () => {
  const set = instructionSets.some(({ name, supported }) => name === 'avx2' && supported) ? 'avx2' : 'scalar'

  test(
    'every op slowed by a quarter is found, forward and backward, and unchanged it is not',
    { timeout: 900_000 },
    async () => {
      // All of them take minutes: SONOTEXT_EVERY_OP=1. Here every ninth.
      const every = process.env['SONOTEXT_EVERY_OP'] === '1' ? 1 : 9
      const rows = (await everyOpRows('small')).filter((_, i) => i % every === 0)
      const ops = Object.keys(signatures) as OpName[]
      const usual = await countInstructions(program, rows, [set])
      expect(Object.keys(usual).sort()).toEqual(rows.map((row) => `${rowName(row)}, ${set}`).sort())
      const again = await countInstructions(program, rows, [set], new Map(ops.map((op) => [op, 1])))
      const slow = await countInstructions(program, rows, [set], new Map(ops.map((op) => [op, 1.25])))
      const verdicts = (now: Readonly<Record<string, number>>) =>
        new Set(instructionFindings(usual, now, 'before', (key) => key).map(({ verdict }) => verdict))
      expect(verdicts(again)).toEqual(new Set(['good']))
      expect(verdicts(slow)).toEqual(new Set(['worse']))
    },
  )

  test('a single op is slowed by its name', async () => {
    const closer = (key: string) => key
    const slow = [['scale', 1.25]] as const
    const { findings, notes } = await countKernels({ only: ['scale', 'add'], slow, before: root, closer })
    const of = (op: string) => findings.filter(({ key }) => key === op).map(({ verdict }) => verdict)
    expect(new Set(of('scale'))).toEqual(new Set(['worse']))
    expect(new Set(of('add'))).toEqual(new Set(['good']))
    expect(notes.join()).toContain('AVX-512')
  })
})

test('where nothing can be counted, it is said', () => {
  expect(cannotCount('/no/such/build')).toMatch(/no (valgrind|\/no\/such\/build)/)
})
