export { type NodeOptions, type OnnxAttribute, OnnxGraph } from './build.js'
export {
  describeOnnx,
  type OnnxDescription,
  type OnnxType,
  type OnnxValue,
  onnxWeights,
  valueText,
} from './describe.js'
export { pickOutput } from './outputs.js'
export { onnxRuntime, type OnnxRuntime } from './runtime.js'
export { inputTypes, type OnnxModel, type OnnxTensor, openOnnx, type OpenOnnxOptions } from './session.js'
