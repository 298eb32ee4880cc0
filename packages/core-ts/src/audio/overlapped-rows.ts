import { matrix, type Matrix } from '../base/matrix.js'

/**
 * Rows of patches that overlap, as rows of one sequence: each patch begins `shift` rows behind the last, and rows of the same time are averaged. A
 * model hears little of what lies beyond the edge of a patch; where patches overlap, another one has it in its middle.
 */
export class OverlappedRows {
  readonly #cols: number
  readonly #perPatch: number
  readonly #shift: number
  /** Sums of the rows that patches still to come may add to, and how many there are of each. */
  #sums: Float64Array
  #counts: Int32Array

  constructor(cols: number, perPatch: number, shift: number) {
    this.#cols = cols
    this.#perPatch = perPatch
    this.#shift = shift
    this.#sums = new Float64Array(perPatch * cols)
    this.#counts = new Int32Array(perPatch)
  }

  /** Takes the rows of the next patch, [perPatch × cols], and gives those that no later one adds to. */
  add(patch: Float32Array): Matrix {
    for (const [i, value] of patch.entries()) this.#sums[i]! += value
    for (let r = 0; r < this.#perPatch; r++) this.#counts[r]!++
    return this.#take(this.#shift)
  }

  /** What is left behind the last patch. */
  rest(): Matrix {
    return this.#take(this.#perPatch - this.#shift)
  }

  #take(rows: number): Matrix {
    const cols = this.#cols
    const out = matrix(rows, cols)
    for (let i = 0; i < rows * cols; i++) out.data[i] = this.#sums[i]! / this.#counts[Math.floor(i / cols)]!
    this.#sums.copyWithin(0, rows * cols)
    this.#sums.fill(0, (this.#perPatch - rows) * cols)
    this.#counts.copyWithin(0, rows)
    this.#counts.fill(0, this.#perPatch - rows)
    return out
  }
}
