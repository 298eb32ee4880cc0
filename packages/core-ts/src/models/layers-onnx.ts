import { type BatchNorm, LayerNorm, type Linear, type Tensor } from '../nn/index.js'
import type { OnnxGraph } from '../onnx/index.js'

/** A linear layer over the last axis. */
export function linearOnnx(graph: OnnxGraph, x: string, { weight, bias }: Linear, name: string): string {
  const matrix = weightOnnx(graph, `${name}.weight`, weight)
  const product = graph.node('MatMul', [
    x,
    graph.node('Transpose', [matrix], { attributes: { perm: [1, 0] } }),
  ])
  return bias === null ? product : graph.node('Add', [product, weightOnnx(graph, `${name}.bias`, bias)])
}

/** Layer or batch normalisation, the latter by its running statistics, over the last axis. */
export function normOnnx(graph: OnnxGraph, x: string, norm: LayerNorm | BatchNorm, name: string): string {
  const { eps = 1e-5 } = norm.options
  const scale = weightOnnx(graph, `${name}.gamma`, norm.gamma)
  const shift = weightOnnx(graph, `${name}.beta`, norm.beta)
  if (norm instanceof LayerNorm) {
    const attributes = { axis: -1, epsilon: { float: eps } }
    return graph.node('LayerNormalization', [x, scale, shift], { attributes })
  }
  const centred = graph.node('Sub', [x, weightOnnx(graph, `${name}.runningMean`, norm.runningMean)])
  const variance = weightOnnx(graph, `${name}.runningVar`, norm.runningVar)
  const least = graph.weight(`${name}.eps`, [1], Float32Array.of(eps))
  const deviation = graph.node('Sqrt', [graph.node('Add', [variance, least])])
  const standard = graph.node('Div', [centred, deviation])
  return graph.node('Add', [graph.node('Mul', [standard, scale]), shift])
}

/** Weights of a layer under the name that they have in the model, so that an exported file loads back. */
export function weightOnnx(graph: OnnxGraph, name: string, weights: Tensor): string {
  return graph.weight(name, weights.shape, Float32Array.from(weights.toArray()))
}

/** Vectors along the last axis at unit length, as l2Normalize does it. */
export function unitOnnx(graph: OnnxGraph, x: string, prefix: string): string {
  const norm = graph.node('ReduceL2', [x], { attributes: { axes: [-1], keepdims: 1 } })
  const least = graph.weight(`${prefix}.least`, [1], Float32Array.of(NORM_EPS))
  return graph.node('Div', [x, graph.node('Max', [norm, least])])
}

/** Shorter vectors are divided by it: the default of l2Normalize. */
const NORM_EPS = 1e-12
