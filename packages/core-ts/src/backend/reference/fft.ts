/** Discrete Fourier transform of a fixed length in float64, by recursive mixed radix: any length works. */
export class Fft {
  readonly length: number
  readonly #cos: Float64Array
  readonly #sin: Float64Array

  constructor(length: number) {
    this.length = length
    this.#cos = Float64Array.from({ length }, (_, k) => Math.cos((2 * Math.PI * k) / length))
    this.#sin = Float64Array.from({ length }, (_, k) => -Math.sin((2 * Math.PI * k) / length))
  }

  /** Transform of real input: real and imaginary part of all `length` bins. */
  transform(input: Float64Array): { re: Float64Array; im: Float64Array } {
    const re = new Float64Array(this.length)
    const im = new Float64Array(this.length)
    this.#recurse(input, 0, 1, this.length, re, im, 0)
    return { re, im }
  }

  /** Bins of input[offset + stride·k], k < n, into re/im[at ... at + n). */
  #recurse(
    input: Float64Array,
    offset: number,
    stride: number,
    n: number,
    re: Float64Array,
    im: Float64Array,
    at: number,
  ): void {
    if (n === 1) {
      re[at] = input[offset]!
      im[at] = 0
      return
    }
    const radix = smallestFactor(n)
    const m = n / radix
    for (let j = 0; j < radix; j++)
      this.#recurse(input, offset + j * stride, stride * radix, m, re, im, at + j * m)
    const partRe = new Float64Array(radix)
    const partIm = new Float64Array(radix)
    for (let k = 0; k < m; k++) {
      for (let j = 0; j < radix; j++) {
        partRe[j] = re[at + j * m + k]!
        partIm[j] = im[at + j * m + k]!
      }
      for (let q = 0; q < radix; q++) {
        const bin = q * m + k
        let sumRe = 0
        let sumIm = 0
        for (let j = 0; j < radix; j++) {
          const angle = (j * bin * stride) % this.length
          sumRe += partRe[j]! * this.#cos[angle]! - partIm[j]! * this.#sin[angle]!
          sumIm += partRe[j]! * this.#sin[angle]! + partIm[j]! * this.#cos[angle]!
        }
        re[at + bin] = sumRe
        im[at + bin] = sumIm
      }
    }
  }
}

function smallestFactor(n: number): number {
  for (let factor = 2; factor * factor <= n; factor++) if (n % factor === 0) return factor
  return n
}
