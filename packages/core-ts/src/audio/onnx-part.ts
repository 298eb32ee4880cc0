import { frontEndPresets } from './front-ends.js'
import { featuresPart } from './log-mel-part.js'
import { onnxFeatures } from './onnx-features.js'
import type { LogMelOptions } from './log-mel-presets.js'
import { poolings } from './pooled-rows.js'

/** Vectors of a pretrained audio model as a row of the family of features. */
export const onnxPart = featuresPart({
  name: 'onnx',
  description: 'Vectors of a pretrained audio model, an ONNX file.',
  schema: {
    properties: {
      model: { type: 'string', format: 'path', minLength: 1, description: 'The model file.' },
      frontEnd: {
        required: ['preset'],
        properties: {
          preset: { enum: frontEndPresets, description: 'Sound as the model wants it.' },
          overrides: {
            type: 'object',
            description: 'What to replace in its spectrogram, such as { "bands": 128 }.',
          },
          patch: {
            type: 'number',
            exclusiveMinimum: 0,
            description: 'Seconds that the model hears at once; default: of the preset.',
          },
          hop: {
            type: 'number',
            exclusiveMinimum: 0,
            description: 'Seconds from one patch to the next; default: of the preset.',
          },
          fill: {
            enum: ['zeros', 'repeat', 'drop'],
            description: 'What a last patch that is not full is filled with; default: of the preset.',
          },
        },
      },
      pool: {
        type: 'array',
        items: { enum: poolings },
        uniqueItems: true,
        default: [],
        description:
          'Statistics over the vectors of a clip, side by side as one vector; [] keeps a vector for each patch.',
      },
      output: {
        type: 'string',
        minLength: 1,
        description:
          'Output with the vectors, or a value within the model; default: the only output, or one with a usual name.',
      },
      silence: {
        type: 'number',
        minimum: -200,
        maximum: 0,
        description:
          'Level in dB of full scale below which a frame is silence, and its vector zeros; default: none is.',
      },
      sha256: {
        type: 'string',
        pattern: '^[0-9a-f]{64}$',
        description: 'Hash that the file must have; kept with a trained model.',
      },
    },
    required: ['model', 'frontEnd'],
  },
  fromConfig: ({ frontEnd, ...rest }) =>
    onnxFeatures({
      ...rest,
      frontEnd: { ...frontEnd, overrides: (frontEnd.overrides ?? {}) as Partial<LogMelOptions> },
    } as Parameters<typeof onnxFeatures>[0]),
})
