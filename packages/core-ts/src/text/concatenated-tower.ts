import { createHash } from 'node:crypto'
import { expected } from '../base/errors.js'
import { matrix, type Matrix } from '../base/matrix.js'
import type { SentenceTower } from './sentence-tower.js'

/**
 * Several sentence towers as one, whose vectors are theirs side by side.
 * @throws SonotextError INVALID_ARGUMENT for none
 */
export function concatenatedTower(towers: readonly SentenceTower[]): SentenceTower {
  if (towers.length === 0) throw expected('one tower or more', 'towers', towers)
  const spec = JSON.stringify(towers.map(({ id }) => id))
  return {
    name: towers.map(({ name }) => name).join(' + '),
    id: `concatenated-${createHash('sha256').update(spec).digest('hex').slice(0, 16)}`,
    cols: towers.reduce((sum, { cols }) => sum + cols, 0),
    costly: towers.some(({ costly }) => costly),
    parts: towers,
    async embed(sentences, options) {
      const all: Matrix[] = []
      for (const tower of towers) all.push(await tower.embed(sentences, options))
      return sideBySideRows(all)
    },
  }
}

/** Matrices of as many rows as one: row r is theirs one behind the other. */
export function sideBySideRows(parts: readonly Matrix[]): Matrix {
  const cols = parts.reduce((sum, part) => sum + part.cols, 0)
  const out = matrix(parts[0]!.rows, cols)
  let at = 0
  for (const part of parts) {
    for (let r = 0; r < out.rows; r++)
      out.data.set(part.data.subarray(r * part.cols, (r + 1) * part.cols), r * cols + at)
    at += part.cols
  }
  return out
}
