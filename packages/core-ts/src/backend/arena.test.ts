import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HostArena } from './arena.js'

describe('HostArena', () => {
  it('hands freed memory out again for lengths of the same bucket', () => {
    const arena = new HostArena()
    const first = arena.alloc(1000)
    expect(arena.alloc(1000).buffer).not.toBe(first.buffer)
    arena.free(first)
    expect(arena.kept).toBe(1024 * 4)
    expect(arena.alloc(900).buffer).not.toBe(first.buffer)
    const again = arena.alloc(1010)
    expect(again.buffer).toBe(first.buffer)
    expect(again.length).toBe(1010)
    expect(arena.kept).toBe(0)
  })

  it('ignores an array given back twice and arrays from elsewhere', () => {
    const arena = new HostArena()
    const buffer = arena.alloc(4)
    arena.free(buffer)
    arena.free(buffer)
    arena.free(new Float32Array(4))
    const [one, two] = [arena.alloc(4), arena.alloc(4)]
    expect(one.buffer).toBe(buffer.buffer)
    expect(two.buffer).not.toBe(buffer.buffer)
  })

  it('keeps no more than its limit', () => {
    const arena = new HostArena((length) => new Float32Array(length), 1000)
    const buffers = Array.from({ length: 5 }, () => arena.alloc(96))
    for (const buffer of buffers) arena.free(buffer)
    expect(arena.kept).toBe(2 * 96 * 4)
  })

  it('gives up what waits for reuse, and once closed what comes back later too', () => {
    const arena = new HostArena()
    const [one, two, three] = [arena.alloc(4), arena.alloc(4), arena.alloc(4)]
    arena.free(one)
    arena.trim()
    expect(arena.kept).toBe(0)
    expect(arena.alloc(4).buffer).not.toBe(one.buffer)
    arena.free(two)
    expect(arena.kept).toBe(64)
    arena.close()
    arena.free(three)
    expect(arena.kept).toBe(0)
  })

  it('takes a large array from a larger one up to twice as long, the shortest there is', () => {
    const arena = new HostArena()
    const [longest, longer] = [2 ** 20, 3 * 2 ** 18].map((length) => arena.alloc(length))
    arena.free(longest!)
    arena.free(longer!)
    const [first, second] = [arena.alloc(2 ** 19), arena.alloc(2 ** 19)]
    expect(first.buffer).toBe(longer!.buffer)
    expect(first.length).toBe(2 ** 19)
    expect(second.buffer).toBe(longest!.buffer)
    expect(arena.kept).toBe(0)
    arena.free(second)
    expect(arena.kept).toBe(2 ** 22)
    expect(arena.alloc(2 ** 18).buffer).not.toBe(longest!.buffer)
    expect(arena.alloc(2 ** 20).buffer).toBe(longest!.buffer)
  })

  it('never hands out overlapping memory and wastes at most an eighth', () => {
    const step = fc.record({ length: fc.integer({ min: 0, max: 5000 }), back: fc.nat({ max: 9 }) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const arena = new HostArena()
        const held: Float32Array[] = []
        for (const { length, back } of steps) {
          const buffer = arena.alloc(length)
          expect(buffer.length).toBe(length)
          expect(buffer.buffer.byteLength).toBeLessThanOrEqual(Math.max(64, length * 4.5))
          expect(held.every((other) => other.buffer !== buffer.buffer)).toBe(true)
          held.push(buffer)
          if (back < held.length) arena.free(held.splice(back, 1)[0]!)
        }
      }),
    )
  })

  it('refuses what is not a length', () => {
    expect(() => new HostArena().alloc(-1)).toThrow(/Expected a number of elements for length, got -1/)
    expect(() => new HostArena().alloc(1.5)).toThrow(/got 1.5/)
  })
})
