import { describe as group, expect, test } from 'vitest'
import { abortedError, throwIfAborted } from './abort.js'
import { describe, expected, isSonotextError, SonotextError } from './errors.js'
import { matrix, row } from './matrix.js'

group('SonotextError', () => {
  test('names the file first and the remedy last', () => {
    const cause = new Error('disk')
    const error = new SonotextError('INVALID_FILE', 'the header is cut short.', {
      file: 'a/b.wav',
      remedy: 'Download it again.',
      cause,
    })
    expect(error.message).toBe('a/b.wav: the header is cut short. Download it again.')
    expect(error).toMatchObject({
      name: 'SonotextError',
      code: 'INVALID_FILE',
      file: 'a/b.wav',
      remedy: 'Download it again.',
      cause,
    })
    expect(isSonotextError(error)).toBe(true)
    expect(isSonotextError(cause)).toBe(false)
  })

  test('without details has none', () => {
    const error = new SonotextError('NUMERIC', 'The loss is NaN.')
    expect(error.message).toBe('The loss is NaN.')
    expect([error.file, error.remedy, 'cause' in error]).toEqual([undefined, undefined, false])
  })

  test('expected says what, for which name, and what it got', () => {
    const error = expected('3 values', 'weights', new Float32Array(2), { file: 'x.json' })
    expect(error.code).toBe('INVALID_ARGUMENT')
    expect(error.message).toBe('x.json: Expected 3 values for weights, got Float32Array of length 2.')
  })
})

test.each([
  [null, 'null'],
  [undefined, 'undefined'],
  ['text', '"text"'],
  ['x'.repeat(100), `"${'x'.repeat(77)}..."`],
  [Number.NaN, 'NaN'],
  [false, 'false'],
  [12n, '12'],
  [new Int32Array(3), 'Int32Array of length 3'],
  [new DataView(new ArrayBuffer(8)), 'DataView of 8 bytes'],
  [[1, 2], 'array of length 2'],
  [{ a: 1 }, 'Object'],
  [new Map(), 'Map'],
  [Object.create(null), 'object'],
  [() => 1, 'function'],
  [Symbol('s'), 'Symbol(s)'],
])('describes %o', (value, text) => {
  expect(describe(value)).toBe(text)
})

test('describes an object whose class has no name, or one that throws', () => {
  const throwing = {
    get name(): string {
      throw new Error('no name')
    },
  }
  for (const constructor of [throwing, { name: Symbol('s') }, null, 7])
    expect(describe({ constructor })).toBe('object')
})

group('abort', () => {
  test('throws ABORTED with the reason as cause, only once the signal has fired', () => {
    const controller = new AbortController()
    expect(() => throwIfAborted(controller.signal)).not.toThrow()
    expect(() => throwIfAborted(undefined)).not.toThrow()
    const reason = new Error('enough')
    controller.abort(reason)
    expect(() => throwIfAborted(controller.signal)).toThrow(
      expect.objectContaining({ code: 'ABORTED', cause: reason }),
    )
    expect(abortedError().code).toBe('ABORTED')
  })
})

group('matrix', () => {
  test('rows are views', () => {
    const m = matrix(2, 3, Float32Array.of(1, 2, 3, 4, 5, 6))
    row(m, 1)[0] = 40
    expect([...m.data]).toEqual([1, 2, 3, 40, 5, 6])
    expect([...row(m, 0)]).toEqual([1, 2, 3])
  })

  test('allocates zeros, also for no rows', () => {
    expect([...matrix(2, 2).data]).toEqual([0, 0, 0, 0])
    expect(matrix(0, 5).data.length).toBe(0)
  })

  test.each([
    [2, 3, 5, 'Expected 2×3 = 6 elements for data, got Float32Array of length 5.'],
    [-1, -2, 2, 'Expected an integer of 0 or more for rows, got -1.'],
    [1, 1.5, 1, 'Expected an integer of 0 or more for cols, got 1.5.'],
  ])('refuses %d × %d over %d values', (rows, cols, length, message) => {
    expect(() => matrix(rows, cols, new Float32Array(length))).toThrow(message)
  })

  test('refuses a row that is not there', () => {
    expect(() => row(matrix(2, 2), 2)).toThrow('Expected a row in [0, 2) for index, got 2.')
  })
})
