import { describe, expect, it } from 'vitest'
import { referenceBackend } from '../backend/reference/index.js'
import { Parameter } from '../nn/tensor.js'
import { adam, adamw, type AdamOptions, type Optimizer } from './optimizers.js'

const backend = referenceBackend({ precision: 'float64' })

function parameters() {
  return new Map([
    ['a', Parameter.from(backend, [2], [1, -2])],
    ['b', Parameter.from(backend, [1], [3])],
    ['unreached', Parameter.from(backend, [1], [5])],
  ])
}

function setGradients(of: ReadonlyMap<string, Parameter>, a: number[], b: number[]): void {
  of.get('a')!.grad = Float64Array.from(a)
  of.get('b')!.grad = Float64Array.from(b)
}

const values = (of: ReadonlyMap<string, Parameter>) =>
  [...of.values()].flatMap((parameter) => [...parameter.toArray()])

/** The published update on one number, several steps. */
function adamLoop(
  x: number,
  gradients: number[],
  options: Required<Omit<AdamOptions, 'clip' | 'groups'>>,
  decoupled: boolean,
): number {
  const { lr, betas, eps, weightDecay } = options
  let [m, v] = [0, 0]
  for (const [i, gradient] of gradients.entries()) {
    if (decoupled) x -= lr * weightDecay * x
    const g = decoupled ? gradient : gradient + weightDecay * x
    m = betas[0] * m + (1 - betas[0]) * g
    v = betas[1] * v + (1 - betas[1]) * g * g
    x -= (lr * (m / (1 - betas[0] ** (i + 1)))) / (Math.sqrt(v / (1 - betas[1] ** (i + 1))) + eps)
  }
  return x
}

describe.each([
  ['adam', adam, false],
  ['adamw', adamw, true],
] as const)('%s', (_, make, decoupled) => {
  it('makes the published update and leaves alone what no gradient reached', () => {
    const options = { lr: 0.1, betas: [0.8, 0.95], eps: 1e-6, weightDecay: 0.2 } as const
    const groups = [{ names: '*', weightDecay: 0.2 }]
    const all = parameters()
    using optimizer = make({ ...options, groups }).start(backend, all)
    for (const [a, b] of [
      [[1, 2], [3]],
      [[-1, 0.5], [0]],
      [[0.1, 7], [-3]],
    ] as const) {
      setGradients(all, [...a], [...b])
      optimizer.step(0.1, optimizer.gradientNorm())
    }
    const wanted = [
      adamLoop(1, [1, -1, 0.1], options, decoupled),
      adamLoop(-2, [2, 0.5, 7], options, decoupled),
      adamLoop(3, [3, 0, -3], options, decoupled),
      5,
    ]
    for (const [i, value] of values(all).entries()) expect(value).toBeCloseTo(wanted[i]!, 10)
    expect(optimizer.steps).toBe(3)
  })
})

describe('parameter groups', () => {
  const named = () =>
    new Map([
      ['audio.conv1.weight', Parameter.from(backend, [1, 2], [1, -2])],
      ['audio.bn1.gamma', Parameter.from(backend, [2], [1, 1])],
      ['audio.gru.bIh', Parameter.from(backend, [2, 1], [1, 1])],
      ['text.linear.weight', Parameter.from(backend, [2, 1], [3, 4])],
      ['text.linear.bias', Parameter.from(backend, [1], [5])],
      ['loss.logTemperature', Parameter.from(backend, [1], [-2])],
    ])
  /** How far each parameter moves in a step whose gradients are all 0, relative to its value: rate × decay. */
  const decays = (optimizer: Optimizer) => {
    const all = named()
    for (const parameter of all.values()) parameter.grad = new Float64Array(parameter.size)
    const before = [...all.values()].map((parameter) => parameter.toArray()[0]!)
    using running = optimizer.start(backend, all)
    running.step(0.5, 0)
    return Object.fromEntries(
      [...all].map(([name, parameter], i) => [name, 1 - parameter.toArray()[0]! / before[i]!]),
    )
  }

  it('norms, biases and temperatures do not decay', () => {
    expect(decays(adamw({ weightDecay: 0.2 }))).toEqual({
      'audio.conv1.weight': expect.closeTo(0.1, 12) as number,
      'audio.bn1.gamma': 0,
      'audio.gru.bIh': 0,
      'text.linear.weight': expect.closeTo(0.1, 12) as number,
      'text.linear.bias': 0,
      'loss.logTemperature': 0,
    })
    const moved = decays(adam({ weightDecay: 0.2 }))
    const still = Object.keys(moved).filter((name) => moved[name] === 0)
    expect(still).toEqual(['audio.bn1.gamma', 'audio.gru.bIh', 'text.linear.bias', 'loss.logTemperature'])
  })

  it('have rates and decays of their own, by the first group that names a parameter', () => {
    const groups = [
      { names: ['*.bias', '*.gamma'], weightDecay: 0.4 },
      { names: 'text.*', rate: 0.1 },
    ]
    expect(decays(adamw({ weightDecay: 0.2, groups }))).toEqual({
      'audio.conv1.weight': expect.closeTo(0.1, 12) as number,
      'audio.bn1.gamma': expect.closeTo(0.2, 12) as number,
      'audio.gru.bIh': 0,
      'text.linear.weight': expect.closeTo(0.01, 12) as number,
      'text.linear.bias': expect.closeTo(0.2, 12) as number,
      'loss.logTemperature': 0,
    })
  })

  it('scale the step that a gradient makes, and with 0 leave parameters as they are', () => {
    const all = named()
    using running = adam({
      groups: [
        { names: 'text.*', rate: 0.1 },
        { names: 'audio.*', rate: 0 },
      ],
    }).start(backend, all)
    const before = new Map([...all].map(([name, parameter]) => [name, parameter.toArray()[0]!]))
    for (const parameter of all.values()) parameter.grad = new Float64Array(parameter.size).fill(1)
    running.step(0.5, 1)
    const moved = (name: string) => before.get(name)! - all.get(name)!.toArray()[0]!
    expect(moved('loss.logTemperature')).toBeCloseTo(0.5, 6)
    expect(moved('text.linear.weight')).toBeCloseTo(0.05, 6)
    expect(moved('audio.conv1.weight')).toBe(0)
  })

  it('that name nothing, or numbers that make no sense, are refused', () => {
    const groups = [{ names: '*' }, { names: 'text.*' }]
    expect(() => adam({ groups }).start(backend, named())).toThrow(
      /no earlier group names.*text\.\*.*audio\.bn1/,
    )
    expect(() => adam({ groups: [{ names: 'audio.conv1' }] }).start(backend, named())).toThrow(
      /audio\.conv1"/,
    )
    expect(() => adam({ groups: [{ names: '*', rate: -1 }] })).toThrow(/rate/)
    expect(() => adam({ groups: [{ names: '*', weightDecay: -1 }] })).toThrow(/weightDecay/)
  })
})

describe('gradients', () => {
  it('have a joint norm that shows NaN and infinities', () => {
    const all = parameters()
    using optimizer = adam().start(backend, all)
    expect(optimizer.gradientNorm()).toBe(0)
    setGradients(all, [3, 4], [12])
    expect(optimizer.gradientNorm()).toBeCloseTo(13, 10)
    setGradients(all, [3, NaN], [12])
    expect(optimizer.gradientNorm()).toBeNaN()
    setGradients(all, [3, 4], [-Infinity])
    expect(optimizer.gradientNorm()).toBe(Infinity)
  })

  it('give their joint norm in one download', () => {
    let downloads = 0
    const download: typeof backend.memory.download = (buffer) => {
      downloads++
      return backend.memory.download(buffer)
    }
    const all = parameters()
    using optimizer = adam().start({ ...backend, memory: { ...backend.memory, download } }, all)
    setGradients(all, [3, 4], [12])
    expect(optimizer.gradientNorm()).toBeCloseTo(13, 10)
    all.get('b')!.grad = null
    expect(optimizer.gradientNorm()).toBeCloseTo(5, 10)
    expect(downloads).toBe(2)
  })

  it('are scaled down together when their norm exceeds the clip', () => {
    const step = (clip: number | null, scale: number) => {
      const all = parameters()
      // One step of Adam hides the size of a gradient unless eps is large.
      using optimizer = adam({ lr: 1, eps: 100, clip }).start(backend, all)
      setGradients(all, [3 * scale, 4 * scale], [12 * scale])
      optimizer.step(1, optimizer.gradientNorm())
      return values(all)
    }
    for (const [i, value] of step(6.5, 1).entries()) expect(value).toBeCloseTo(step(null, 0.5)[i]!, 12)
    expect(step(14, 1)).toEqual(step(null, 1))
  })
})

describe('state', () => {
  it('is saved and restored with the step count', () => {
    const [one, two] = [parameters(), parameters()]
    using first = adam({ lr: 0.1 }).start(backend, one)
    using second = adam({ lr: 0.1 }).start(backend, two)
    setGradients(one, [1, 2], [3])
    first.step(0.1, 1)
    for (const [name, parameter] of two) backend.memory.copy(one.get(name)!.buffer, parameter.buffer)
    second.restore(first.steps, first.state())
    for (const [optimizer, all] of [
      [first, one],
      [second, two],
    ] as const) {
      setGradients(all, [-1, 1], [0.5])
      optimizer.step(0.1, 1)
    }
    for (const [i, value] of values(two).entries()) expect(value).toBeCloseTo(values(one)[i]!, 7)
  })

  it('is refused when a moment is missing or has another size', () => {
    using optimizer = adam().start(backend, parameters())
    const state = optimizer.state()
    state.set('a.v', { shape: [3], data: new Float32Array(3) })
    expect(() => optimizer.restore(1, state)).toThrow(/2 numbers for optimiser state a\.v, got 3/)
    state.delete('a.v')
    expect(() => optimizer.restore(1, state)).toThrow(/a\.v, got none/)
  })

  it('options out of range are refused', () => {
    expect(() => adam({ lr: 0 })).toThrow(/lr/)
    expect(() => adam({ betas: [0.9, 1] })).toThrow(/betas/)
    expect(() => adam({ eps: 0 })).toThrow(/eps/)
    expect(() => adamw({ weightDecay: -1 })).toThrow(/weightDecay/)
    expect(() => adam({ clip: 0 })).toThrow(/clip/)
  })
})
