import { OnnxGraph, type OnnxType } from '../onnx/index.js'

export interface TinyTowerOptions {
  readonly input?: string
  readonly type?: OnnxType
  readonly shape?: readonly (number | string | null)[]
  /** Length of the vectors. */
  readonly dim?: number
  /** Whether it gives a vector for each frame instead of one for each patch. */
  readonly frames?: boolean
}

/**
 * An audio tower that can be computed by hand: of patches [n, t, b] the mean over t, times a weight [b, dim] of 1 / (1 + i + j); with
 * `frames` the product for every frame.
 */
export function tinyAudioTower(options: TinyTowerOptions = {}): Uint8Array {
  const { input = 'patch', type = 'float32', shape = ['n', 96, 64], dim = 3, frames = false } = options
  const graph = new OnnxGraph('tiny audio tower')
  const given = graph.input({ name: input, type, shape })
  const bands = Number(shape.at(-1))
  const x = type === 'float32' ? given : graph.node('Cast', [given], { attributes: { to: 1 } })
  const weight = graph.weight('weight', [bands, dim], tinyWeights(bands, dim))
  const pooled = frames
    ? x
    : graph.node('ReduceMean', [x], { attributes: { axes: [shape.length - 2], keepdims: 0 } })
  graph.node('MatMul', [pooled, weight], { outputs: ['embedding'] })
  const axes = frames ? shape : shape.toSpliced(shape.length - 2, 1)
  graph.output({ name: 'embedding', type: 'float32', shape: axes.with(-1, dim) })
  return graph.encode()
}

export function tinyWeights(rows: number, cols: number): Float32Array {
  return Float32Array.from({ length: rows * cols }, (_, k) => 1 / (1 + Math.floor(k / cols) + (k % cols)))
}

/** Words that {@link tinyTokenizer} knows; the index is the token. */
export const tinyWords = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'a', 'dog', 'barks', 'rain', 'falls'] as const

export interface TinyTextTowerOptions {
  readonly dim?: number
  /** Whether it gives one vector for a sentence, or (default) one for each token. */
  readonly pooled?: boolean
  readonly type?: OnnxType
  readonly shape?: readonly (number | string | null)[]
  readonly mask?: boolean
}

/** A text tower that can be computed by hand: token i is the row i of {@link tinyWeights}. */
export function tinyTextTower(options: TinyTextTowerOptions = {}): Uint8Array {
  const { dim = 3, pooled = false, type = 'int64', shape = ['n', 'tokens'], mask = true } = options
  const graph = new OnnxGraph('tiny text tower')
  const given = graph.input({ name: 'input_ids', type, shape })
  const ids = graph.node('Cast', [given], { attributes: { to: 7 } })
  if (mask) {
    const unused = graph.input({ name: 'attention_mask', type, shape })
    graph.node('Identity', [unused], { outputs: ['mask'] })
  }
  const table = graph.weight('table', [tinyWords.length, dim], tinyWeights(tinyWords.length, dim))
  const output = pooled ? 'text_embeds' : 'last_hidden_state'
  if (pooled) {
    const tokens = graph.node('Gather', [table, ids])
    graph.node('ReduceMean', [tokens], { attributes: { axes: [1], keepdims: 0 }, outputs: [output] })
  } else graph.node('Gather', [table, ids], { outputs: [output] })
  graph.output({ name: output, type: 'float32', shape: pooled ? [shape[0]!, dim] : [...shape, dim] })
  return graph.encode()
}

/** tokenizer.json of {@link tinyWords}, as Hugging Face's tokenizers write it: words by white space, [CLS] before and [SEP] behind. */
export function tinyTokenizer(): string {
  const vocab = Object.fromEntries(tinyWords.map((word, i) => [word, i]))
  const special = (id: string) => ({ id, ids: [vocab[id]], tokens: [id] })
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: tinyWords.slice(0, 4).map((content, id) => ({
      ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
    })),
    normalizer: { type: 'Lowercase' },
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [
        { SpecialToken: { id: '[CLS]', type_id: 0 } },
        { Sequence: { id: 'A', type_id: 0 } },
        { SpecialToken: { id: '[SEP]', type_id: 0 } },
      ],
      pair: [],
      special_tokens: { '[CLS]': special('[CLS]'), '[SEP]': special('[SEP]') },
    },
    decoder: null,
    model: { type: 'WordLevel', vocab, unk_token: '[UNK]' },
  })
}
