import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { throwIfAborted } from '../base/abort.js'
import { expected, SonotextError } from '../base/errors.js'
import { readBytes } from '../base/files.js'
import { matrix } from '../base/matrix.js'
import { checkOptions } from '../base/options.js'
import { nextTurn } from '../base/turn.js'
import { type OnnxModel, type OnnxTensor, openOnnx, pickOutput, valueText } from '../onnx/index.js'
import type { SentenceTower } from './sentence-tower.js'
import { openTokenizer } from './sentence-tokenizer.js'

/** Options of {@link onnxTower}. */
export interface OnnxTowerOptions {
  /** The model file: token ids in, a vector for each sentence or token out. */
  readonly model: string
  /** tokenizer.json of Hugging Face's tokenizers. Default: the one beside the model. */
  readonly tokenizer?: string
  /** Longer sentences are cut to so many tokens. Default 128. */
  readonly maxTokens?: number
  /** What becomes of vectors for each token: their mean, or the first. Default mean. */
  readonly pool?: 'mean' | 'first'
  /** Name of the output that holds the vectors. */
  readonly output?: string
  /** SHA-256 that the model file must have. */
  readonly sha256?: string
}

/** What is given for inputs of these names; others are refused. */
const feeds: Readonly<Record<string, (ids: readonly number[]) => number[]>> = {
  input_ids: (ids) => [...ids],
  attention_mask: (ids) => ids.map(() => 1),
  token_type_ids: (ids) => ids.map(() => 0),
  position_ids: (ids) => ids.map((_, i) => i),
}

/**
 * A pretrained text model as an ONNX file, with its tokenizer. Each sentence goes through alone and unpadded, where the model leaves the length
 * open, so that its vector does not depend on others.
 * @throws SonotextError as {@link openOnnx} and {@link openTokenizer}; UNSUPPORTED for inputs that are not known
 */
export async function onnxTower(
  options: OnnxTowerOptions,
): Promise<SentenceTower & { readonly sha256: string }> {
  const { maxTokens = 128, pool = 'mean', output } = checkOptions(options, 'onnxTower')
  if (!(Number.isInteger(maxTokens) && maxTokens >= 2))
    throw expected('an integer above 1', 'maxTokens', maxTokens)
  const file = options.tokenizer ?? join(dirname(options.model), 'tokenizer.json')
  const [model, tokenizer, json] = await Promise.all([
    openOnnx(options.model, { sha256: options.sha256, output }),
    openTokenizer(file),
    readBytes(file),
  ])
  checkInputs(model)
  const vectors = pickOutput(model, output)
  const fixed = fixedLength(model)
  const longest = Math.min(maxTokens, fixed ?? maxTokens)
  const one = async (text: string): Promise<Float32Array> => {
    const ids = tokenizer.encode(text, longest)
    const outputs = await model.run(inputsOf(model, ids, fixed, tokenizer.padId))
    return pooledVector(outputs.get(vectors), ids.length, pool, model, vectors)
  }
  const { length: cols } = await one('a')
  const { name: runtime, version } = model.runtime
  const spec = [
    model.sha256,
    createHash('sha256').update(json).digest('hex'),
    longest,
    pool,
    vectors,
    runtime,
    version,
  ]
  return {
    name: 'onnx',
    id: `onnx-text-${createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 16)}`,
    cols,
    costly: true,
    sha256: model.sha256,
    async embed(sentences, { signal } = {}) {
      const out = matrix(sentences.length, cols)
      for (const [i, { text }] of sentences.entries()) {
        throwIfAborted(signal)
        out.data.set(await one(text), i * cols)
        await nextTurn(signal)
      }
      return out
    },
  }
}

function checkInputs({ file, description }: OnnxModel): void {
  const strange = description.inputs.filter(
    ({ name, type, shape }) =>
      !Object.hasOwn(feeds, name) || !['int64', 'int32', 'bool'].includes(type) || shape.length !== 2,
  )
  if (strange.length === 0 && description.inputs.some(({ name }) => name === 'input_ids')) return
  throw new SonotextError(
    'UNSUPPORTED',
    `Expected a text model that takes ${Object.keys(feeds).join(', ')} [n, tokens] as integers, got ${description.inputs.map(valueText).join(', ')}.`,
    { file, remedy: 'Export the text side alone, with these names.' },
  )
}

/** Tokens that the model takes, where it takes no other number. */
function fixedLength({ description }: OnnxModel): number | undefined {
  const extent = description.inputs.find(({ name }) => name === 'input_ids')!.shape[1]
  return typeof extent === 'number' ? extent : undefined
}

function inputsOf(
  { description }: OnnxModel,
  ids: readonly number[],
  fixed: number | undefined,
  padId: number,
): Record<string, OnnxTensor> {
  const length = fixed ?? ids.length
  return Object.fromEntries(
    description.inputs.map(({ name }) => {
      const data = new Float32Array(length).fill(name === 'input_ids' ? padId : 0)
      data.set(feeds[name]!(ids))
      return [name, { shape: [1, length], data }]
    }),
  )
}

/** [1, d] as it is; of [1, tokens, d] the mean over the tokens of the sentence, or the first. */
function pooledVector(
  output: OnnxTensor | undefined,
  tokens: number,
  pool: 'mean' | 'first',
  { file }: OnnxModel,
  name: string,
): Float32Array {
  const { shape = [], data = new Float32Array(0) } = output ?? {}
  if (shape.length === 2 && shape[0] === 1) return data
  if (shape.length !== 3 || shape[0] !== 1 || shape[1]! < tokens) {
    throw new SonotextError(
      'UNSUPPORTED',
      `Expected vectors [1, d] or [1, tokens, d] of the output ${name}, got [${shape.join(', ')}].`,
      { file, remedy: 'Name the output with the vectors: output.' },
    )
  }
  const cols = shape[2]!
  if (pool === 'first') return data.slice(0, cols)
  const sums = new Float64Array(cols)
  for (let t = 0; t < tokens; t++) for (let c = 0; c < cols; c++) sums[c]! += data[t * cols + c]!
  return Float32Array.from(sums, (sum) => sum / tokens)
}
