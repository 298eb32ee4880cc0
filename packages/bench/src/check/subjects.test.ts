import { signatures } from '@sonotext/core/backend'
import type { Addon } from '@sonotext/native-cuda'
import { expect, test } from 'vitest'
import { slowOf } from './compare.js'
import type { Side } from './side.js'
import { kernelSubjects, otherArguments } from './subjects.js'

type Statement = ReturnType<Addon['ops']>[number]['args']

const statement = (...names: string[]): Statement =>
  names.map((name) => ({ name, direction: 'in', type: 'integer', optional: false }))

test('an op is held against a build that lacks an argument where the call says what that build did', () => {
  const old = statement('x', 'rows')
  expect(otherArguments(old, old, { x: 1, rows: 2 })).toBeNull()
  const added = statement('x', 'rows', 'precision')
  for (const precision of [0, null]) {
    expect(otherArguments(added, old, { x: 1, rows: 2, precision })).toBeNull()
  }
  expect(otherArguments(added, old, { x: 1, rows: 2, precision: 1 })).toMatch(/other build \(precision\)/)
  // What this build no longer takes, or takes as another type.
  expect(otherArguments(old, added, { x: 1, rows: 2 })).toMatch(/\(precision\)/)
  const retyped = old.map((argument) => ({ ...argument, type: 'number' as const }))
  expect(otherArguments(retyped, old, { x: 0, rows: 0 })).toMatch(/\(x, rows\)/)
})

test('a build gets no argument that it does not know', async () => {
  const given: string[][] = []
  const side = (names: string[]) => {
    const addon = {
      ops: () => [{ name: 'log_mel', args: statement(...names) }],
      openDevice: () => null,
      run: (_device: unknown, _op: string, args: object) => void given.push(Object.keys(args)),
    }
    return { name: 'a build', addon: addon as unknown as Addon } as Side
  }
  const now = Object.keys(signatures.log_mel)
  const before = now.filter((name) => name !== 'precision')
  const sides = [side(now), side(before)]
  const [subject] = await kernelSubjects(sides, ['log_mel'])
  for (const each of sides) await (await subject!.make(each)).run()
  expect(given.map((names) => names.toSorted())).toEqual([now.toSorted(), before.toSorted()])
})

test('an op and a single subject of it are found by their names', async () => {
  const side = { name: 'this', addon: { ops: () => [] } as unknown as Addon } as Side
  const names = async (...only: string[]) =>
    (await kernelSubjects([side, side], only)).map(({ name }) => name)
  const both = await names('scale')
  expect(both.map((name) => name.replace(/^.*, /, ''))).toEqual(['one thread', 'two threads'])
  expect(await names(both[1]!)).toEqual([both[1]])
  expect(await names('search_one')).toEqual([])
})

test('every stands for every op', () => {
  expect(slowOf('every:2').map(([name]) => name)).toEqual(Object.keys(signatures))
  expect(slowOf('every,gemm:3')).toContainEqual(['gemm', 3])
})
