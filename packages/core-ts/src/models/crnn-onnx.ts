import type { BatchNorm, Conv2d, Gru, Tensor } from '../nn/index.js'
import type { OnnxGraph } from '../onnx/index.js'
import { weightOnnx } from './layers-onnx.js'

/** The layers of a CRNN, as they follow each other. */
export interface CrnnLayers {
  readonly norms: readonly BatchNorm[]
  readonly convs: readonly Conv2d[]
  /** L4 pooling behind convolution i: [time, mel]. */
  readonly pools: Readonly<Record<number, readonly [number, number]>>
  readonly gru: Gru
}

/**
 * A CRNN in ONNX, from features [n, t, bands] to its frames [n, t, dim], not at unit length. Weights stand in the file as they are here and are
 * turned by operators, which a runtime does once: so the file loads back.
 */
export function crnnOnnx(graph: OnnxGraph, features: string, layers: CrnnLayers, prefix: string): string {
  const { norms, convs, pools, gru } = layers
  const axis = graph.weight(`${prefix}.channel`, [1], [1])
  let x = graph.node('Unsqueeze', [features, axis])
  for (const [i, conv] of convs.entries()) {
    const { gamma, beta, runningMean, runningVar, options } = norms[i]!
    const numbers = Object.entries({ gamma, beta, runningMean, runningVar }).map(([name, tensor]) =>
      weightOnnx(graph, `${prefix}.bn${i + 1}.${name}`, tensor),
    )
    x = graph.node('BatchNormalization', [x, ...numbers], { attributes: { epsilon: { float: options.eps } } })
    const weight = weightOnnx(graph, `${prefix}.conv${i + 1}.weight`, conv.weight)
    // [kh, kw, in, out] to [out, in, kh, kw].
    const kernel = graph.node('Transpose', [weight], { attributes: { perm: [3, 2, 0, 1] } })
    const [kh, kw] = conv.weight.shape as [number, number]
    const [top, left] = [(kh - 1) / 2, (kw - 1) / 2]
    const pads = [top, left, top, left]
    x = graph.node('Conv', [x, kernel], { attributes: { kernel_shape: [kh, kw], pads } })
    x = graph.node('LeakyRelu', [x], { attributes: { alpha: { float: conv.slope } } })
    const pool = pools[i + 1]
    if (pool !== undefined)
      x = graph.node('LpPool', [x], { attributes: { p: 4, kernel_shape: pool, strides: pool } })
  }
  x = gruOnnx(graph, framesFirst(graph, x, prefix), gru, `${prefix}.gru`)
  return interpolateOnnx(graph, x, features, prefix)
}

/** [n, channels, steps, mel] to [steps, n, mel · channels], as a GRU of ONNX reads it. */
function framesFirst(graph: OnnxGraph, x: string, prefix: string): string {
  const turned = graph.node('Transpose', [x], { attributes: { perm: [2, 0, 3, 1] } })
  return graph.node('Reshape', [turned, graph.weight(`${prefix}.flat`, [3], [0, 0, -1])])
}

/** A GRU in PyTorch's variant over [steps, n, in], to [n, directions · hidden, steps, 1]. ONNX wants its gates as z, r, n. */
function gruOnnx(graph: OnnxGraph, x: string, { wIh, wHh, bIh, bHh }: Gru, prefix: string): string {
  const [directions, , hidden] = wHh.shape as [number, number, number]
  const gatesOf = (name: string, tensor: Tensor): string => {
    const [r, z, n] = ['r', 'z', 'n'].map((gate) => `${prefix}.${name}.${gate}`)
    graph.node('Split', [weightOnnx(graph, `${prefix}.${name}`, tensor)], {
      attributes: { axis: 1 },
      outputs: [r!, z!, n!],
    })
    return graph.node('Concat', [z!, r!, n!], { attributes: { axis: 1 } })
  }
  const bias = graph.node('Concat', [gatesOf('bIh', bIh), gatesOf('bHh', bHh)], { attributes: { axis: 1 } })
  const y = graph.node('GRU', [x, gatesOf('wIh', wIh), gatesOf('wHh', wHh), bias], {
    attributes: {
      hidden_size: hidden,
      linear_before_reset: 1,
      direction: directions === 2 ? 'bidirectional' : 'forward',
    },
  })
  // [steps, directions, n, hidden]
  const turned = graph.node('Transpose', [y], { attributes: { perm: [2, 1, 3, 0] } })
  return graph.node('Reshape', [
    turned,
    graph.weight(`${prefix}.sides`, [4], [0, directions * hidden, -1, 1]),
  ])
}

/** [n, dim, steps, 1] by linear interpolation over the frames of the features, [n, t, dim]. */
function interpolateOnnx(graph: OnnxGraph, x: string, features: string, prefix: string): string {
  const at = (tensor: string, first: number, end: number): string =>
    graph.node('Slice', [
      graph.node('Shape', [tensor]),
      graph.weight(`${prefix}.${tensor}.${first}`, [1], [first]),
      graph.weight(`${prefix}.${tensor}.${end}.end`, [1], [end]),
    ])
  const one = graph.weight(`${prefix}.one`, [1], [1])
  const sizes = graph.node('Concat', [at(x, 0, 2), at(features, 1, 2), one], { attributes: { axis: 0 } })
  const wide = graph.node('Resize', [x, '', '', sizes], {
    attributes: { mode: 'linear', coordinate_transformation_mode: 'half_pixel' },
  })
  const flat = graph.node('Squeeze', [wide, graph.weight(`${prefix}.last`, [1], [3])])
  return graph.node('Transpose', [flat], { attributes: { perm: [0, 2, 1] } })
}
