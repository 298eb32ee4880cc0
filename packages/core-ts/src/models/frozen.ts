import { l2Normalize } from '../nn/index.js'
import { unitOnnx } from './layers-onnx.js'
import { audioEncoderPart, type AudioEncoderSpec } from './encoder.js'

/** The vectors of a pretrained model as they are, at unit length: nothing is trained. */
export function frozen({ inputs }: { inputs: number }): AudioEncoderSpec {
  return {
    config: { kind: 'frozen', inputs },
    dim: inputs,
    build: () => ({
      bands: inputs,
      leastFrames: 1,
      dim: inputs,
      forward: (tape, features, lengths) => ({ values: l2Normalize(tape, features), lengths }),
      toOnnx: (graph, features) => unitOnnx(graph, features, 'audio'),
      parameters: () => new Map(),
      buffers: () => new Map(),
    }),
  }
}

export const frozenPart = audioEncoderPart({
  name: 'frozen',
  description:
    'Vectors of a pretrained model as they are: both towers of one model, or an audio side that is not trained.',
  schema: { properties: {} },
  fromConfig: (_, { bands }) => frozen({ inputs: bands }),
  fromSaved: ({ inputs }) => frozen({ inputs: inputs as number }),
})
