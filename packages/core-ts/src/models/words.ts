import { expected } from '../base/errors.js'
import type { Matrix } from '../base/matrix.js'
import { checkOptions } from '../base/options.js'
import type { PaddedTokens } from '../data/index.js'
import {
  collect,
  Embedding,
  type EmbeddingRows,
  l2Normalize,
  Linear,
  type Module,
  type Parameter,
  type Tape,
  type Tensor,
} from '../nn/index.js'
import type { OnnxGraph } from '../onnx/index.js'
import { type EmbeddedBatch, poolEmbedded } from '../similarity/index.js'
import type { ConfigOf, Json } from '../registry/index.js'
import {
  type EmbeddingTable,
  embeddingTable,
  readEmbeddingTable,
  type SerializedVocabulary,
  tokenize,
  trainWordVectors,
  Vocabulary,
} from '../text/index.js'
import {
  type TextEncoder,
  textEncoderPart,
  type TextEncoderSetting,
  type TextEncoderSpec,
} from './encoder.js'
import { linearOnnx, unitOnnx, weightOnnx } from './layers-onnx.js'

/** Options of {@link words}. */
export interface WordsOptions {
  /** The words the model knows; index 0 is padding. */
  vocabulary: Vocabulary
  /** [vocabulary.size × d], row i for token i, row 0 zero. Default: drawn at random, and then trainable. */
  vectors?: Matrix
  /** Length of random vectors. Default 300. */
  dim?: number
  /** Whether training changes the vectors. Default: only without given vectors. */
  trainable?: boolean
  /** Length of a trainable linear projection of each word, behind the table. Default: none. */
  project?: number
}

/** One unit vector for each word: an embedding table, frozen as in the thesis or trained. */
export function words(options: WordsOptions): TextEncoderSpec {
  checkOptions(options, 'words')
  return wordsSpec('words', options, (embedded) => embedded)
}

/** One unit vector for each caption: the mean of its word vectors (DCASE 2022 task 6b baseline). */
export function meanWords(options: WordsOptions): TextEncoderSpec {
  checkOptions(options, 'meanWords')
  return wordsSpec('mean-words', options, (embedded, tape) => ({
    values: poolEmbedded(tape, embedded),
    lengths: null,
  }))
}

type Finish = (embedded: EmbeddedBatch, tape: Tape) => EmbeddedBatch

function wordsSpec(kind: string, options: WordsOptions, finish: Finish): TextEncoderSpec {
  const { vocabulary, vectors, project = null } = options
  const dim = vectors?.cols ?? options.dim ?? 300
  const trainable = options.trainable ?? vectors === undefined
  if (!(Number.isInteger(dim) && dim >= 1)) throw expected('an integer above 0', 'dim', dim)
  if (project !== null && !(Number.isInteger(project) && project >= 1)) {
    throw expected('an integer above 0', 'project', project)
  }
  if (options.dim !== undefined && options.dim !== dim)
    throw expected(`${dim}, the length of the vectors`, 'dim', options.dim)
  if (vectors !== undefined && vectors.rows !== vocabulary.size) {
    throw expected(`${vocabulary.size} rows, one for each token of the vocabulary`, 'vectors', vectors.rows)
  }
  if (vectors?.data.subarray(0, dim).some((value) => value !== 0)) {
    throw expected('zeros in row 0, the padding', 'vectors', 'other numbers')
  }
  const { words, counts } = vocabulary.toJSON()
  return {
    config: { kind, vocabulary: { words, counts }, dim, trainable, project },
    dim: project ?? dim,
    build(backend, rng) {
      const frozen = !trainable
      const table =
        vectors === undefined && trainable
          ? Embedding.random(backend, vocabulary.size, dim, rng)
          : new Embedding(backend, vectors ?? zeros(vocabulary.size, dim), { frozen })
      const linear = project === null ? null : new Linear(backend, dim, project, { rng: rng.fork('linear') })
      return new Words(vocabulary, table, linear, finish, project ?? dim)
    },
  }
}

/** A table that weights are loaded into. */
function zeros(rows: number, cols: number): EmbeddingRows {
  return { rows, cols, data: () => new Float32Array(rows * cols) }
}

class Words implements TextEncoder {
  readonly vocabulary: Vocabulary
  readonly dim: number
  readonly #table: Embedding
  readonly #linear: Linear | null
  readonly #finish: Finish

  constructor(vocabulary: Vocabulary, table: Embedding, linear: Linear | null, finish: Finish, dim: number) {
    this.vocabulary = vocabulary
    this.dim = dim
    this.#table = table
    this.#linear = linear
    this.#finish = finish
  }

  tokenize(text: string): string[] {
    return tokenize(text)
  }

  encode(tokens: readonly string[]): Int32Array {
    return this.vocabulary.encode(tokens)
  }

  forward(tape: Tape, { tokens, n, width, lengths }: PaddedTokens): EmbeddedBatch {
    const rows = this.#table.forward(tape, tokens, [n, width])
    const projected = this.#linear === null ? rows : this.#linear.forward(tape, rows)
    return this.#finish({ values: l2Normalize(tape, projected), lengths }, tape)
  }

  /** Both sides of words give one vector here: the pooled similarity takes the mean of them too. */
  toOnnx(graph: OnnxGraph): string {
    const tokens = graph.input({ name: 'tokens', type: 'int64', shape: ['n', 'words'] })
    const zero = graph.weight('text.padding', [1], [0])
    let x = graph.node('Gather', [weightOnnx(graph, 'text.words.table', this.#table.table), tokens])
    if (this.#linear !== null) x = linearOnnx(graph, x, this.#linear, 'text.linear')
    const counted = graph.node('Not', [graph.node('Equal', [tokens, zero])])
    const mask = graph.node('Cast', [counted], { attributes: { to: 1 } })
    const last = graph.node('Unsqueeze', [mask, graph.weight('text.last', [1], [2])])
    x = graph.node('Mul', [unitOnnx(graph, x, 'text.words'), last])
    const mean = graph.node('ReduceMean', [x], { attributes: { axes: [1], keepdims: 0 } })
    return unitOnnx(graph, mean, 'text')
  }

  parameters(): Map<string, Parameter> {
    return collect('parameters', this.#children())
  }

  buffers(): Map<string, Tensor> {
    return collect('buffers', this.#children())
  }

  #children(): Record<string, Module> {
    return this.#linear === null ? { words: this.#table } : { words: this.#table, linear: this.#linear }
  }
}

const schema = {
  properties: {
    vectors: {
      type: 'string',
      format: 'path',
      minLength: 1,
      description: 'word2vec, GloVe or fastText file; without it vectors are trained on the captions.',
    },
    dim: {
      type: 'integer',
      minimum: 2,
      maximum: 1024,
      default: 300,
      description: 'Length of the trained vectors; vectors from a file keep their own length.',
    },
    minCount: {
      type: 'integer',
      minimum: 1,
      default: 1,
      description: 'Rarer words share the unknown-word vector.',
    },
    trainable: { type: 'boolean', default: false, description: 'Whether training changes the word vectors.' },
    project: {
      type: 'integer',
      minimum: 1,
      description: 'Length of a trainable linear projection of each word; without it there is none.',
    },
  },
} as const

/** The options of words learnt from captions: a vocabulary, and vectors from a file or trained. */
async function learnt(
  { vectors: file, dim, minCount, trainable, project }: ConfigOf<typeof schema>,
  { captions, seed, signal }: TextEncoderSetting,
): Promise<WordsOptions> {
  const abortable = signal === undefined ? {} : { signal }
  const vocabulary = await Vocabulary.buildAsync(captions, { minCount, signal })
  const table = async (): Promise<EmbeddingTable> =>
    file !== undefined
      ? readEmbeddingTable(vocabulary, file, { seed, ...abortable })
      : embeddingTable(vocabulary, await trainWordVectors(captions, { dim, seed, ...abortable }), { seed })
  const { vectors } = await table()
  return { vocabulary, vectors, trainable, ...(project !== undefined && { project }) }
}

function saved({ vocabulary, dim, trainable, project }: { readonly [option: string]: Json }): WordsOptions {
  if (typeof trainable !== 'boolean') throw expected('true or false', 'trainable', trainable)
  return {
    vocabulary: Vocabulary.fromJSON(vocabulary as unknown as SerializedVocabulary),
    dim: dim as number,
    trainable,
    ...(project !== null && project !== undefined && { project: project as number }),
  }
}

export const wordsPart = textEncoderPart({
  name: 'words',
  description: 'A vector for each word.',
  schema,
  fromConfig: async (config, setting) => words(await learnt(config, setting)),
  fromSaved: (options) => words(saved(options)),
})

export const meanWordsPart = textEncoderPart({
  name: 'mean-words',
  description: 'The mean of the word vectors of a caption.',
  schema,
  fromConfig: async (config, setting) => meanWords(await learnt(config, setting)),
  fromSaved: (options) => meanWords(saved(options)),
})
