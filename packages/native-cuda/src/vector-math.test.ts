import { describe, expect, test } from 'vitest'
import { AddonLoadError, candidates, loadAddon, tryLoad } from './load.js'

const loaded = tryLoad(candidates())
const addon = loaded instanceof AddonLoadError ? null : loaded
if (addon === null) process.stderr.write('vector-math: skipped, the native addon is not built\n')
const sets = addon?.instructionSets().filter(({ supported }) => supported) ?? []

const functions = {
  exp: Math.exp,
  log: Math.log,
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
} as const

/** Every kind of float32 there is: each 1021st bit pattern, so every exponent thousands of times, NaN and infinities too. */
function manyFloats(): Float32Array {
  const bits = Uint32Array.from({ length: Math.floor(2 ** 32 / 1021) }, (_, i) => i * 1021)
  return new Float32Array(bits.buffer)
}

const special = Float32Array.of(
  ...[0, -0, Infinity, -Infinity, NaN, 1, -1, 2 ** -149, -(2 ** -149), 2 ** -126, 2 ** 127],
  ...[88.72283, 88.7229, 88.376, 89, -86.9, -86.91, -87.5, -104, 0.625, -0.625, 10, -10, 3.4e38, -3.4e38],
)

/** Size of the last bit of a float32 near x. */
function ulp(x: number): number {
  return 2 ** (Math.max(Math.floor(Math.log2(Math.abs(x))), -126) - 23)
}

/** The largest error in units of the last place, and values that are wrong in kind. Below `floor` only that much is asked. */
function judge(x: Float32Array, got: Float32Array, f: (x: number) => number, floor: number) {
  let worst = 0
  const wrong: string[] = []
  for (let i = 0; i < x.length; i++) {
    const exact = f(x[i]!)
    const wanted = Math.fround(exact)
    if (Object.is(wanted, got[i]) || wanted === got[i]) continue
    if (!Number.isFinite(wanted) || !Number.isFinite(got[i]!))
      wrong.push(`f(${x[i]}) = ${got[i]}, not ${wanted}`)
    else if (Math.abs(exact) > floor) worst = Math.max(worst, Math.abs(exact - got[i]!) / ulp(exact))
    else if (Math.abs(got[i]!) > floor) wrong.push(`f(${x[i]}) = ${got[i]}, not ${wanted}`)
  }
  return { worst, wrong }
}

describe.skipIf(addon === null)('polynomials of the kernels against libm in float64', () => {
  const all = manyFloats()
  const out = new Float32Array(all.length)
  for (const { name: isa } of sets) {
    test.for(Object.keys(functions) as (keyof typeof functions)[])(`${isa} %s`, (name) => {
      for (const x of [special, all]) {
        const got = out.subarray(0, x.length)
        loadAddon().vectorMath(isa, name, x, got)
        const { worst, wrong } = judge(
          x,
          got,
          functions[name],
          name === 'exp' || name === 'sigmoid' ? 1.9e-38 : 0,
        )
        expect(wrong.slice(0, 5)).toEqual([])
        expect(worst).toBeLessThan(2.5)
      }
    })

    test.for(Object.keys(functions) as (keyof typeof functions)[])(
      `${isa} %s is the same whatever lies beside it in a vector`,
      (name) => {
        const alone = all.filter((_, i) => i % 41 === 0)
        const beside = alone.map((value, i) => (i % 3 === 0 ? special[(i / 3) % special.length]! : value))
        const bits = (x: Float32Array) => {
          const got = new Float32Array(x.length)
          loadAddon().vectorMath(isa, name, x, got)
          return new Uint32Array(got.buffer)
        }
        const [one, other] = [bits(alone), bits(beside)]
        expect(one.findIndex((word, i) => i % 3 !== 0 && word !== other[i])).toBe(-1)
      },
    )
  }
})

describe.skipIf(addon === null)('probe', () => {
  test('every instruction set has a peak of multiply-adds', () => {
    for (const { name } of sets) expect(addon!.fmaPeak(name, 1, 2)).toBeGreaterThan(0.1)
  })

  test('refuses what it cannot measure', () => {
    expect(() => addon!.fmaPeak('sse9', 1, 2)).toThrow(/Expected the name of an instruction set .* for isa/)
    expect(() => addon!.fmaPeak('scalar', 0, 2)).toThrow(/for threads/)
    expect(() => addon!.fmaPeak('scalar', 1, 0)).toThrow(/for milliseconds/)
    expect(() => addon!.vectorMath('scalar', 'exp', new Float32Array(2), new Float32Array(3))).toThrow(
      /for out/,
    )
  })
})
