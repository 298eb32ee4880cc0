import { type HostArgs, rowOf } from './host.js'

const { abs, fround, sqrt } = Math

/** What is rounded is rounded as float32 does, so that the words are the same for every backend. */
export function quantize({ x, out, scales, rows, cols, bits }: HostArgs<'quantize'>): void {
  const words = Math.floor((cols * bits + 31) / 32)
  const [unit, mask] = bits === 8 ? [127, 0xff] : [1, 0xffff]
  out.fill(0)
  for (let r = 0; r < rows; r++) {
    const row = rowOf(x, r, cols)
    let most = 0
    for (const value of row) most = Math.max(most, abs(value))
    if (!(most >= fround(1e-10) && most <= 1e10)) {
      scales[2 * r] = 0
      scales[2 * r + 1] = most === 0 ? 0 : Infinity
      continue
    }
    const inverse = fround(unit / most)
    const scale = fround(most / unit)
    let [lost, whole] = [0, 0]
    row.forEach((value, c) => {
      const y = fround(value * inverse)
      const narrow = bits === 8 ? nearestEven(y) : halfOf(y)
      const rounded = bits === 8 ? narrow : valueOfHalf(narrow)
      lost += (y - rounded) ** 2
      whole += y ** 2
      const at = c * bits
      out[r * words + Math.floor(at / 32)]! |= (narrow & mask) << (at % 32)
    })
    const roundings = 2 ** -24 * (2 * cols + 64)
    const error = scale * (sqrt(lost) + roundings * (sqrt(whole) + sqrt(lost)))
    scales[2 * r] = scale
    scales[2 * r + 1] = error * (1 + 2 ** -23 * (cols + 32))
  }
}

function nearestEven(x: number): number {
  const floor = Math.floor(x)
  const rest = x - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor
}

/** The bits of the half-precision number nearest to a float32 of magnitude 1 at most. */
function halfOf(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0
  const magnitude = abs(x)
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude)))
  const units = nearestEven(magnitude * 2 ** (10 - exponent)) // of the last place; 1024 up where it is normal
  return sign | ((exponent + 14) * 1024 + units)
}

function valueOfHalf(bits: number): number {
  const exponent = (bits >> 10) & 31
  const mantissa = bits & 0x3ff
  const magnitude = exponent === 0 ? mantissa * 2 ** -24 : (1 + mantissa / 1024) * 2 ** (exponent - 15)
  return bits & 0x8000 ? -magnitude : magnitude
}
