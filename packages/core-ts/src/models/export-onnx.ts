import type { Backend } from '../backend/port.js'
import { SonotextError } from '../base/errors.js'
import { describeOnnx, OnnxGraph, onnxWeights } from '../onnx/index.js'
import { type DualEncoder, type ModelConfig, modelFromConfig, pluginsOf } from './dual-encoder.js'

/** A trained model as two ONNX files. */
export interface ExportedModel {
  /** From features [n, t, bands] (t = 1 where a clip is one vector) to frames [n, t, dim] and audio_embeds [n, dim]. */
  readonly audio: Uint8Array
  /** From `sentences`, the vectors of its sentence encoder [n, inputs], or `tokens` [n, words] of its vocabulary, to text_embeds [n, dim]. */
  readonly text: Uint8Array
}

/** The key under which both files describe the model: features and front end, encoders, similarity. */
const KEY = 'sonotext.model'

/**
 * What stands behind the towers of a model, in ONNX. All frames of a clip count: there is no padding in a batch of the audio side.
 * @throws SonotextError UNSUPPORTED for encoders that cannot be written
 */
export function exportOnnx(model: DualEncoder): ExportedModel {
  const { config, dim, similarity } = model
  const metadata = { [KEY]: JSON.stringify(config), 'sonotext.id': model.id }
  const refuse = (what: string) =>
    new SonotextError('UNSUPPORTED', `Expected parts that can be written as ONNX, got ${what}.`, {
      remedy: 'The encoders of the library can, with similarity pooled; one from outside needs toOnnx.',
    })
  const { audio, text } = { audio: model.audio.encoder, text: model.text.encoder }
  if (audio.toOnnx === undefined) throw refuse(`the audio encoder ${config.audio.kind}`)
  if (text.toOnnx === undefined) throw refuse(`the text encoder ${config.text.kind}`)
  if (similarity.config.kind !== 'pooled') throw refuse(`the similarity ${similarity.config.kind}`)

  const sound = new OnnxGraph('audio')
  const features = sound.input({ name: 'features', type: 'float32', shape: ['n', 't', audio.bands] })
  const frames = sound.node('Identity', [audio.toOnnx(sound, features)], { outputs: ['frames'] })
  const mean = sound.node('ReduceMean', [frames], { attributes: { axes: [1], keepdims: 0 } })
  unitNamed(sound, mean, 'audio_embeds')
  sound.output({ name: 'audio_embeds', type: 'float32', shape: ['n', dim] })
  sound.output({ name: 'frames', type: 'float32', shape: ['n', 't', dim] })

  const words = new OnnxGraph('text')
  words.node('Identity', [text.toOnnx(words)], { outputs: ['text_embeds'] })
  words.output({ name: 'text_embeds', type: 'float32', shape: ['n', dim] })
  return { audio: sound.encode(metadata), text: words.encode(metadata) }
}

/** The mean of unit vectors, at unit length again. */
function unitNamed(graph: OnnxGraph, x: string, name: string): void {
  const norm = graph.node('ReduceL2', [x], { attributes: { axes: [-1], keepdims: 1 } })
  const least = graph.weight('pool.least', [1], Float32Array.of(1e-12))
  graph.node('Div', [x, graph.node('Max', [norm, least])], { outputs: [name] })
}

/**
 * The model that two exported files describe.
 * @throws SonotextError INVALID_FILE for files that were not exported here, or not together
 */
export function importOnnx({ audio, text }: ExportedModel, options: { backend?: Backend } = {}): DualEncoder {
  const [a, t] = [describeOnnx(audio).metadata, describeOnnx(text).metadata]
  const description = a[KEY]
  if (description === undefined || description !== t[KEY] || a['sonotext.id'] !== t['sonotext.id']) {
    throw new SonotextError('INVALID_FILE', 'Expected the two sides of one exported model, got others.', {
      remedy: 'Give audio.onnx and text.onnx as sonotext export wrote them.',
    })
  }
  const config = JSON.parse(description) as ModelConfig
  const model = modelFromConfig(config, { ...options, plugins: pluginsOf({ ...config }) })
  const weights = new Map([...onnxWeights(audio), ...onnxWeights(text)])
  const own = [...model.parameters().keys(), ...model.buffers().keys()]
  model.load(new Map(own.flatMap((name) => (weights.has(name) ? [[name, weights.get(name)!]] : []))))
  return model
}
