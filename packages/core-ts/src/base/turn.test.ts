import { describe, expect, it } from 'vitest'
import { matrix } from './matrix.js'
import { atOnce, type InPieces, inTurns } from './turn.js'

function* work(pieces: number, milliseconds: number, seen: number[] = []): InPieces<number> {
  for (let piece = 0; piece < pieces; piece++) {
    for (const end = performance.now() + milliseconds; performance.now() < end;);
    seen.push(piece)
    yield
  }
  return pieces
}

describe('work in pieces', () => {
  it('gives the same all at once and in turns, between which timers run', async () => {
    expect(atOnce(work(3, 0))).toBe(3)
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    expect(await inTurns(work(20, 10))).toBe(20)
    clearInterval(timer)
    expect(turns).toBeGreaterThan(2)
  })

  it('stops when its signal fires', async () => {
    const abort = new AbortController()
    const seen: number[] = []
    setTimeout(() => abort.abort(), 1)
    await expect(inTurns(work(1000, 5, seen), abort.signal)).rejects.toMatchObject({ code: 'ABORTED' })
    expect(seen.length).toBeLessThan(1000)
  })
})

it('a matrix that memory has no place for is said to be one', () => {
  expect(() => matrix(1e6, 1e9)).toThrow(expect.objectContaining({ code: 'OUT_OF_MEMORY' }))
})
