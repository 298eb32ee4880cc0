import { expected, SonotextError } from '../base/errors.js'
import type { StateDict } from './state.js'

/** A tensor of a PyTorch state dict; numbers of any array type. */
export interface ForeignTensor {
  readonly shape: readonly number[]
  readonly data: ArrayLike<number | bigint>
}

/** Module names of the CRNN in a PyTorch state dict. */
export interface CrnnLayout {
  /** The five BatchNorm2d modules, first to last. */
  readonly batchNorms: readonly string[]
  /** The five Conv2d modules. */
  readonly convolutions: readonly string[]
  /** The bidirectional GRU module. */
  readonly gru: string
}

/** `features` as one Sequential with pooling between blocks of BatchNorm2d, Conv2d, LeakyReLU, then `gru`. */
const sequential: CrnnLayout = {
  batchNorms: [0, 2, 3, 5, 6].map((i) => `features.${i}.block.0`),
  convolutions: [0, 2, 3, 5, 6].map((i) => `features.${i}.block.1`),
  gru: 'gru',
}

/** Our names and PyTorch's inside one module. */
const batchNormNames = [
  ['gamma', 'weight'],
  ['beta', 'bias'],
  ['runningMean', 'running_mean'],
  ['runningVar', 'running_var'],
] as const

const gruNames = [
  ['wIh', 'weight_ih_l0', 2],
  ['wHh', 'weight_hh_l0', 2],
  ['bIh', 'bias_ih_l0', 1],
  ['bHh', 'bias_hh_l0', 1],
] as const

/**
 * Weights of the CRNN (64 bands) from a PyTorch state dict, under the library's names and layouts: convolutions
 * [out, in, kh, kw] → [kh, kw, in, out], GRU directions stacked. Throws INVALID_ARGUMENT naming a tensor that is missing or
 * has another number of axes.
 */
export function crnnFromPyTorch(
  state: ReadonlyMap<string, ForeignTensor>,
  layout: CrnnLayout = sequential,
): StateDict {
  const result: StateDict = new Map()
  const take = (name: string, rank: number): { shape: readonly number[]; data: Float32Array } => {
    const tensor = state.get(name)
    if (tensor?.shape.length !== rank) {
      const got = tensor === undefined ? 'none' : `shape [${tensor.shape}]`
      throw new SonotextError(
        'INVALID_ARGUMENT',
        `Expected a tensor of ${rank} axes for ${name}, got ${got}.`,
        {
          remedy: 'Give the module names of this state dict as the layout.',
        },
      )
    }
    return { shape: tensor.shape, data: Float32Array.from(tensor.data, Number) }
  }
  for (const [i, name] of layout.batchNorms.entries()) {
    for (const [ours, theirs] of batchNormNames)
      result.set(`bn${i + 1}.${ours}`, take(`${name}.${theirs}`, 1))
  }
  for (const [i, name] of layout.convolutions.entries()) {
    const { shape, data } = take(`${name}.weight`, 4)
    const [outputs, inputs, kh, kw] = shape as [number, number, number, number]
    const ours = new Float32Array(data.length)
    eachWeight(outputs, inputs, kh * kw, (here, there) => (ours[here] = data[there]!))
    result.set(`conv${i + 1}.weight`, { shape: [kh, kw, inputs, outputs], data: ours })
  }
  for (const [ours, theirs, rank] of gruNames) {
    const forward = take(`${layout.gru}.${theirs}`, rank)
    const backward = take(`${layout.gru}.${theirs}_reverse`, rank)
    const data = new Float32Array(2 * forward.data.length)
    data.set(forward.data)
    data.set(backward.data, forward.data.length)
    result.set(`gru.${ours}`, { shape: [2, ...forward.shape], data })
  }
  return result
}

/** The reverse of {@link crnnFromPyTorch}: what `load_state_dict(…, strict=False)` of a PyTorch CRNN takes. */
export function crnnToPyTorch(state: Readonly<StateDict>, layout: CrnnLayout = sequential): StateDict {
  const result: StateDict = new Map()
  for (const [i, name] of layout.batchNorms.entries()) {
    for (const [ours, theirs] of batchNormNames)
      result.set(`${name}.${theirs}`, tensorOf(state, `bn${i + 1}.${ours}`))
  }
  for (const [i, name] of layout.convolutions.entries()) {
    const { shape, data } = tensorOf(state, `conv${i + 1}.weight`)
    const [kh, kw, inputs, outputs] = shape as [number, number, number, number]
    const theirs = new Float32Array(data.length)
    eachWeight(outputs, inputs, kh * kw, (here, there) => (theirs[there] = data[here]!))
    result.set(`${name}.weight`, { shape: [outputs, inputs, kh, kw], data: theirs })
  }
  for (const [ours, theirs] of gruNames) {
    const { shape, data } = tensorOf(state, `gru.${ours}`)
    const half = data.length / 2
    result.set(`${layout.gru}.${theirs}`, { shape: shape.slice(1), data: data.slice(0, half) })
    result.set(`${layout.gru}.${theirs}_reverse`, { shape: shape.slice(1), data: data.slice(half) })
  }
  return result
}

function tensorOf(
  state: Readonly<StateDict>,
  name: string,
): { shape: readonly number[]; data: Float32Array } {
  const tensor = state.get(name)
  if (tensor === undefined) throw expected('the weights of a CRNN', name, undefined)
  return tensor
}

/** Positions of every weight of a convolution in our layout [k, in, out] and in PyTorch's [out, in, k]. */
function eachWeight(
  outputs: number,
  inputs: number,
  k: number,
  visit: (here: number, there: number) => void,
): void {
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let e = 0; e < k; e++) visit((e * inputs + i) * outputs + o, (o * inputs + i) * k + e)
    }
  }
}
