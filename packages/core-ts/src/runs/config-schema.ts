import type { ConfigOf, GroupSchema } from '../registry/index.js'

/** Everything a configuration may say. What belongs to a part (a loss, an encoder …) stands in the part's own schema. */
export const configSchema = {
  title: 'RunConfig',
  description: 'One training run. Every key has a default except data.manifest.',
  required: ['data'],
  properties: {
    seed: {
      type: 'integer',
      minimum: 0,
      default: 17,
      description: 'Seed of every random stream: weights, order, crops, dropout, negatives.',
    },
    plugins: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [],
      description: 'Files or packages that add parts; paths are relative to the configuration file.',
    },
    data: {
      required: ['manifest'],
      properties: {
        manifest: {
          type: 'string',
          format: 'path',
          minLength: 1,
          description: 'Manifest (JSONL). Paths in a configuration file are relative to the file.',
        },
        trainSplit: { type: 'string', default: 'train', description: 'Split that is trained on.' },
        validationSplit: {
          type: ['string', 'null'],
          description:
            'Split that picks the best epoch and that schedule and stopper watch. Without the key: validation, where there is one; null: none, and the training loss does it.',
        },
        items: {
          enum: ['clip', 'pair'],
          default: 'clip',
          description:
            'clip: each epoch visits every clip once with one of its captions drawn at random; pair: every (clip, caption) pair.',
        },
        maxFrames: {
          type: 'integer',
          minimum: 4,
          default: 1500,
          description:
            'Longer clips are cropped at random to so many feature frames in training; evaluation and search take them whole.',
        },
        maxBadShare: {
          type: 'number',
          minimum: 0,
          maximum: 1,
          default: 0.05,
          description:
            'Unusable clips are set aside with their reason; past this share of them the run is refused.',
        },
        maxSeconds: {
          type: 'number',
          exclusiveMinimum: 0,
          default: 3600,
          description: 'Longer recordings are refused before memory is taken for them.',
        },
        maxExpansion: {
          type: 'number',
          exclusiveMinimum: 0,
          default: 4096,
          description:
            'Recordings of more than 64 MiB of samples and so many bytes of them for each byte of the file are refused.',
        },
        acceptCut: {
          type: 'boolean',
          default: false,
          description:
            'Takes what is there of recordings whose end is missing; without it they count as unusable.',
        },
        ffmpeg: {
          type: 'boolean',
          default: false,
          description: 'Lets the ffmpeg on the path decode what the library does not read itself.',
        },
        cache: {
          type: 'string',
          format: 'path',
          minLength: 1,
          description: 'Folder of the feature cache; default: features beside the manifest.',
        },
      },
    },
    features: {
      family: 'features',
      default: { type: 'log-mel' },
      description: 'What the model hears of a clip.',
    },
    model: {
      properties: {
        audio: { family: 'audio-encoder', default: { type: 'crnn' }, description: 'Audio encoder.' },
        text: { family: 'text-encoder', default: { type: 'words' }, description: 'Text encoder.' },
        similarity: {
          family: 'similarity',
          default: { type: 'frame-word' },
          description: 'How clips and captions are compared.',
        },
        start: { family: 'start', default: { type: 'drawn' }, description: 'What the weights begin as.' },
      },
    },
    loss: { family: 'loss', default: { type: 'triplet' }, description: 'What is trained for.' },
    objectives: {
      type: 'array',
      items: {
        required: ['loss'],
        properties: {
          loss: { family: 'loss', description: 'What is trained for besides.' },
          weight: {
            type: 'number',
            exclusiveMinimum: 0,
            default: 1,
            description: 'Factor in the sum, in which the loss above counts once.',
          },
          source: {
            family: 'source',
            description: 'What its batches are of; without the key it sees those of the loss above.',
          },
          name: {
            type: 'string',
            pattern: '^[^./]+$',
            description: 'In logs and checkpoints; without it the name of the loss.',
          },
        },
      },
      default: [],
      description:
        'Further things to train for. The loss above says how long an epoch is, and is the one that is validated.',
    },
    guards: {
      type: 'array',
      items: { family: 'guard' },
      default: [],
      description:
        'Pairs that must not be negatives, besides those of one clip or recording; every loss keeps to it.',
    },
    optimizer: {
      family: 'optimizer',
      default: { type: 'adam' },
      description: 'How gradients change weights.',
    },
    schedule: {
      family: 'schedule',
      default: { type: 'plateau' },
      description: 'What the learning rate does.',
    },
    stopper: {
      family: 'stopper',
      default: { type: 'never' },
      description: 'What ends a run before its last epoch.',
    },
    training: {
      properties: {
        epochs: {
          type: 'integer',
          minimum: 0,
          default: 100,
          description:
            'Epochs of the whole run; a resumed run may have more. 0: the model is what it begins as (model.start).',
        },
        batchSize: {
          type: 'integer',
          minimum: 2,
          default: 32,
          description: 'Clip–caption pairs in a batch.',
        },
        saveEvery: {
          type: 'integer',
          minimum: 0,
          default: 0,
          description: 'Steps between further checkpoints besides the one after each epoch; 0: none.',
        },
        mix: {
          enum: ['sum', 'turns'],
          default: 'sum',
          description:
            'How the sources of several objectives take part: a step has a batch of each, or each has a step in turn.',
        },
        readEvery: {
          type: 'integer',
          minimum: 1,
          default: 1,
          description:
            'Steps between readings of loss and statistics; on a device every reading waits for the step.',
        },
      },
    },
    validation: {
      properties: {
        every: {
          type: 'integer',
          minimum: 1,
          default: 1,
          description:
            'Epochs between two looks at the validation split; the last epoch is always looked at.',
        },
        monitor: {
          type: 'string',
          default: 'loss',
          description:
            'Number that picks the best epoch: loss, the name of a yardstick, or a measure (mAP@10: the mean of both directions; textToAudio.mAP@10: one of them).',
        },
        watch: {
          type: 'string',
          description:
            'Number that schedule and stopper watch; without the key the one that picks the best epoch.',
        },
        measures: {
          type: 'array',
          items: { type: 'string' },
          default: ['mAP@10'],
          description: 'Retrieval measures over the whole split, both ways; [] saves their time.',
        },
        relevance: {
          type: 'string',
          format: 'path',
          minLength: 1,
          description:
            'Graded relevance for the measures, such as nDCG@10: CSV query,item,relevance, ratings, or a manifest that states it; without the key a clip’s own captions alone are relevant.',
        },
        minGrade: {
          type: 'number',
          exclusiveMinimum: 0,
          maximum: 1,
          description:
            'Relevance from which items count as relevant for measures without grades; without the key any above 0.',
        },
        unjudged: {
          enum: ['irrelevant', 'left-out'],
          default: 'irrelevant',
          description: 'What items are that nobody has judged, beside graded relevance.',
        },
        yardsticks: {
          type: 'array',
          items: { family: 'loss', default: 'triplet' },
          default: [],
          description: 'Further losses to log, to compare runs that are trained with different ones.',
        },
      },
    },
    logging: {
      properties: {
        tensorboard: {
          type: 'boolean',
          default: true,
          description: 'Write TensorBoard events beside log.jsonl.',
        },
        negatives: {
          type: 'boolean',
          default: false,
          description: 'Say in log.jsonl which negatives were picked, by clip and caption.',
        },
      },
    },
  },
} as const satisfies GroupSchema & { title: string }

/** A checked configuration with every default. */
export type RunConfig = ConfigOf<typeof configSchema>
