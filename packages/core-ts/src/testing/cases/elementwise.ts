import { type AnyOpCase, aroundWidths, blank, type Draw, type OpCase, oracle, rounded } from './op-case.js'

/** Longer than one chunk of any thread pool's work. */
const long = 100_003

function add(what: string, length: number, alpha: number, beta: number): OpCase<'add'> {
  return {
    op: 'add',
    name: `${length} values, ${alpha}·a + ${beta}·b ${what}`,
    args: (draw) => ({ a: draw.normal(length), b: draw.normal(length), out: blank(length), alpha, beta }),
  }
}

function scale(what: string, length: number, factor: number): OpCase<'scale'> {
  return {
    op: 'scale',
    name: `${length} values, factor ${factor} ${what}`,
    args: (draw) => ({ x: draw.normal(length), out: blank(length), factor }),
  }
}

function leakyRelu(
  what: string,
  length: number,
  slope: number,
  special: readonly number[] = [],
): AnyOpCase[] {
  const name = `${length} values, slope ${slope} ${what}`
  const forward: OpCase<'leaky_relu'> = {
    op: 'leaky_relu',
    name,
    args: (draw) => ({
      x: Float64Array.of(...special, ...draw.normal(length)),
      out: blank(special.length + length),
      slope,
    }),
    smooth: special.length === 0,
  }
  const backward: OpCase<'leaky_relu_backward'> = {
    op: 'leaky_relu_backward',
    name,
    args: (draw) => {
      const { x, out } = forward.args(draw)
      oracle.run('leaky_relu', { x, out, slope })
      return {
        out: rounded(out as Float64Array),
        gradOut: draw.normal(x.length),
        gradX: blank(x.length),
        slope,
      }
    },
  }
  return [forward, backward]
}

const leakyReluCases = [
  ...aroundWidths.flatMap((size) => [...leakyRelu('', size, 0.1), ...leakyRelu('', size, 0)]),
  ...leakyRelu('beyond one chunk', long, 0.1),
  ...leakyRelu('specials', 9, 0.1, [
    0,
    -0,
    Infinity,
    -Infinity,
    Number.NaN,
    Math.fround(1e-40),
    Math.fround(-1e38),
  ]),
]

function dropout(
  what: string,
  length: number,
  rate: number,
  words?: [number, number, number, number],
): OpCase<'dropout'> {
  const [seedLow, seedHigh, offsetLow, offsetHigh] = words ?? [17, 0x89abcdef, 5, 0xffffffff]
  return {
    op: 'dropout',
    name: `${length} values, rate ${rate} ${what}`,
    args: (draw) => ({
      x: draw.normal(length),
      out: blank(length),
      ...{ seedLow, seedHigh, offsetLow, offsetHigh, rate },
    }),
  }
}

const dropoutCases = [
  ...aroundWidths.map((size) => dropout('', size, 0.3)),
  ...[0, 0.5, 0.999].map((rate) => dropout('', 200, rate)),
  dropout('largest words', 50, 0.5, [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff]),
  dropout('beyond one chunk', long, 0.3),
]

function multiply(what: string, length: number): OpCase<'multiply'> {
  return {
    op: 'multiply',
    name: `${length} values ${what}`,
    args: (draw) => ({ a: draw.normal(length), b: draw.normal(length), out: blank(length) }),
  }
}

function gelu(what: string, length: number, scale = 1, special: readonly number[] = []): AnyOpCase[] {
  const name = `${length} values ${what}`
  const values = (draw: Draw) => Float64Array.of(...special, ...draw.normal(length, scale))
  const smooth = special.length === 0
  const total = special.length + length
  return [
    { op: 'gelu', name, args: (draw) => ({ x: values(draw), out: blank(total) }), smooth },
    {
      op: 'gelu_backward',
      name,
      args: (draw) => ({ x: values(draw), gradOut: draw.normal(total), gradX: blank(total) }),
    },
  ]
}

const geluCases = [
  ...aroundWidths.flatMap((size) => gelu('', size)),
  ...gelu('far from 0', 200, 6),
  ...gelu('near 0', 200, 1e-3),
  ...gelu('beyond one chunk', long),
  ...gelu('specials', 3, 1, [0, -0, Infinity, Number.NaN, Math.fround(1e-40), 13.5, -13.5, 40, -40]),
]

export const elementwiseCases: readonly AnyOpCase[] = [
  ...geluCases,
  ...aroundWidths.map((size) => multiply('', size)),
  multiply('beyond one chunk', long),
  ...leakyReluCases,
  ...dropoutCases,
  ...aroundWidths.flatMap((size) => [add('', size, 1, 1), scale('', size, 0.7)]),
  add('beyond one chunk', long, 0.3, -2),
  add('one factor 0', 20, 0, 1),
  scale('beyond one chunk', long, -3),
  scale('factor 0', 20, 0),
]
