import { openBackend } from '../backend/open.js'
import type { Backend, FloatBuffer } from '../backend/port.js'
import {
  expected,
  firstNotFinite,
  matrix,
  SonotextError,
  throwIfAborted,
  type Matrix,
} from '../base/index.js'
import { checkOptions } from '../base/options.js'
import type { Hit, SearchOptions } from './hits.js'
import { readIndexFile, writeIndexFile } from './index-file.js'
import { assertPrecision, type IndexPrecision, NarrowItems } from './narrow-items.js'

/** Options of {@link createIndex}. */
export interface IndexOptions {
  /** Length of every embedding. */
  readonly dim: number
  /** Default: {@link openBackend}. */
  readonly backend?: Backend
  /** Id of the model that makes the embeddings; kept with the index so that vectors of different models never meet. */
  readonly model?: string
  /**
   * What items are looked through in by one to four queries at once. Those that may be among the best are scored in float32, so the hits are
   * the same, bit for bit, in half (`float16`) or a third of the time; the copy takes half or a quarter as much memory again. On a device
   * and for more queries nothing changes. Default `float32`: no copy.
   */
  readonly precision?: IndexPrecision
}

/** Options of {@link loadIndex}. */
export interface LoadIndexOptions {
  readonly backend?: Backend
  /** Default: what the index was saved with. */
  readonly precision?: IndexPrecision
  /** Throws INVALID_DATA unless the index was made with this model. */
  readonly model?: string
}

/** Queries that one call of the op takes, so that a long search can be stopped and its results stay small. */
const queryBlock = 1024

const noNarrow = { narrow: null, scales: null, bits: 32 } as const

/** An empty index. `createIndex({ dim: 300, model: model.id }).add(embeddings, ids)` */
export function createIndex(options: IndexOptions): EmbeddingIndex {
  checkOptions(options, 'createIndex')
  return new EmbeddingIndex(options)
}

/**
 * Exact search by inner product: with unit vectors, by cosine. Holds clips to be searched with captions or captions to be searched
 * with clips alike. Every query is compared with every item; score descending, ties to the item added first.
 */
export class EmbeddingIndex implements Disposable {
  readonly dim: number
  readonly model: string | undefined
  readonly precision: IndexPrecision
  readonly #backend: Backend
  readonly #ids: string[] = []
  readonly #places = new Map<string, number>()
  #data = new Float32Array(0)
  /** Copy on the backend's device; null where the backend computes on host arrays, or nothing was searched since the last add. */
  #resident: FloatBuffer | null = null
  readonly #onHost: boolean
  /** Null where nothing is narrow, and on a device, which reads items faster than queries come. */
  readonly #narrow: NarrowItems | null

  constructor({ dim, backend = openBackend(), model, precision = 'float32' }: IndexOptions) {
    assertPrecision(precision)
    if (!Number.isSafeInteger(dim) || dim < 1) throw expected('a whole number from 1', 'dim', dim)
    this.dim = dim
    this.model = model
    this.precision = precision
    this.#backend = backend
    const probe = backend.memory.alloc(1)
    this.#onHost = ArrayBuffer.isView(probe)
    backend.memory.free(probe)
    this.#narrow = this.#onHost && precision !== 'float32' ? new NarrowItems(backend, dim, precision) : null
  }

  /** Number of items. */
  get size(): number {
    return this.#ids.length
  }

  /** Ids in the order of adding. */
  get ids(): readonly string[] {
    return this.#ids
  }

  /** A copy of an item's embedding, or undefined. */
  get(id: string): Float32Array | undefined {
    const place = this.#places.get(id)
    return place === undefined ? undefined : this.#data.slice(place * this.dim, (place + 1) * this.dim)
  }

  /**
   * Adds items, one row each; all or, when it throws, none. Throws INVALID_ARGUMENT when rows, ids or lengths do not fit or an id is
   * there already, INVALID_DATA when an embedding is not finite.
   */
  add(embeddings: Matrix, ids: readonly string[]): this {
    this.#checkAll(embeddings, ids)
    const used = this.size * this.dim
    const needed = used + embeddings.data.length
    if (needed > this.#data.length) {
      const grown = new Float32Array(Math.max(needed, Math.min(2 * this.#data.length, needed + 2 ** 24)))
      grown.set(this.#data.subarray(0, used))
      this.#data = grown
    }
    this.#data.set(embeddings.data, used)
    this.#name(ids)
    return this
  }

  /** An index that takes the memory of its embeddings over: a file's are in memory once. Throws as {@link add}. */
  static over(embeddings: Matrix, ids: readonly string[], options: IndexOptions): EmbeddingIndex {
    const index = new EmbeddingIndex(options)
    checkNumbers(embeddings, 'embeddings')
    index.#checkAll(embeddings, ids)
    index.#data = embeddings.data as Float32Array<ArrayBuffer>
    index.#name(ids)
    return index
  }

  #checkAll(embeddings: Matrix, ids: readonly string[]): void {
    this.#checkRows(embeddings, 'embeddings', (i) => `item "${ids[i]}"`)
    if (ids.length !== embeddings.rows)
      throw expected(`${embeddings.rows} ids, one for each embedding`, 'ids', ids)
    const fresh = new Set<string>()
    for (const id of ids) {
      if (typeof id !== 'string' || id === '') throw expected('a string that is not empty', 'an id', id)
      // Halves of pairs have no UTF-8: a file would give another id back.
      if (!id.isWellFormed()) throw expected('text of whole characters', 'an id', id)
      if (this.#places.has(id) || fresh.has(id)) throw expected('every id once', 'ids', `"${id}" twice`)
      fresh.add(id)
    }
  }

  #name(ids: readonly string[]): void {
    for (const id of ids) {
      this.#places.set(id, this.#ids.length)
      this.#ids.push(id)
    }
    this.#release()
  }

  /**
   * The best items of every query, one row each. An empty index gives empty lists. Throws INVALID_ARGUMENT for another dimension or a k
   * below 1, INVALID_DATA when a query is not finite, ABORTED.
   */
  async search(queries: Matrix, options: SearchOptions = {}): Promise<Hit[][]> {
    const { k = 10, signal } = checkOptions(options, 'search')
    checkK(k)
    checkNumbers(queries, 'queries')
    this.#checkRows(queries, 'queries', (i) => `query ${i}`)
    throwIfAborted(signal)
    const n = this.size
    const width = Math.min(k, n)
    if (n === 0) return Array.from({ length: queries.rows }, () => [])
    const found: Hit[][] = []
    for (let first = 0; first < queries.rows; first += queryBlock) {
      const q = Math.min(queryBlock, queries.rows - first)
      const block = queries.data.subarray(first * this.dim, (first + q) * this.dim)
      const { indices, scores } = await this.#topK(block, q, n, width, signal)
      for (let i = 0; i < q; i++) {
        found.push(
          Array.from({ length: width }, (_, r) => {
            const index = indices[i * width + r]!
            return { id: this.#ids[index]!, index, score: scores[i * width + r]!, rank: r + 1 }
          }),
        )
      }
    }
    return found
  }

  /** Writes embeddings in float32, ids, model id and precision to one safetensors file, atomically. */
  async save(path: string): Promise<void> {
    const data = this.#data.subarray(0, this.size * this.dim)
    const { model, precision } = this
    const embeddings = matrix(this.size, this.dim, data)
    await writeIndexFile(path, {
      ...{ embeddings, ids: this.#ids, precision },
      ...(model !== undefined && { model }),
    })
  }

  /** Gives the copy on a device back. The index stays usable. */
  [Symbol.dispose](): void {
    this.#release()
  }

  async #topK(
    queries: Float32Array,
    q: number,
    n: number,
    k: number,
    signal: AbortSignal | undefined,
  ): Promise<{ indices: Int32Array; scores: ArrayLike<number> }> {
    const { memory } = this.#backend
    const indices = new Int32Array(q * k)
    const options = signal === undefined ? {} : { signal }
    const shape = { outIndices: indices, q, n, d: this.dim, k }
    if (this.#onHost) {
      const items = this.#data.subarray(0, n * this.dim)
      const scores = new Float32Array(q * k)
      // More queries are bound by arithmetic: they would not look at narrow items.
      const narrow = q <= 4 ? await this.#narrow?.of(items, n, options) : undefined
      const call = { queries, items, ...(narrow ?? noNarrow), outScores: scores, ...shape }
      await this.#backend.runAsync('top_k', call, options)
      return { indices, scores }
    }
    const items = (this.#resident ??= this.#upload())
    const sent = memory.alloc(queries.length)
    const outScores = memory.alloc(q * k)
    try {
      memory.upload(queries, sent)
      const call = { queries: sent, items, ...noNarrow, outScores, ...shape }
      await this.#backend.runAsync('top_k', call, options)
      return { indices, scores: Float32Array.from(memory.download(outScores)) }
    } finally {
      memory.free(sent)
      memory.free(outScores)
    }
  }

  #upload(): FloatBuffer {
    const buffer = this.#backend.memory.alloc(this.size * this.dim)
    this.#backend.memory.upload(this.#data.subarray(0, this.size * this.dim), buffer)
    return buffer
  }

  #release(): void {
    if (this.#resident !== null) this.#backend.memory.free(this.#resident)
    this.#resident = null
  }

  #checkRows(m: Matrix, name: string, nameOfRow: (index: number) => string): void {
    if (m.cols !== this.dim) {
      throw expected(`vectors of ${this.dim} numbers`, name, m.cols, {
        remedy: 'Use the model that the index was made with.',
      })
    }
    if (m.data.length !== m.rows * m.cols) throw expected(`${m.rows}×${m.cols} numbers`, name, m.data)
    const bad = firstNotFinite(m.data)
    if (bad < 0) return
    throw new SonotextError(
      'INVALID_DATA',
      `Expected finite numbers for the embedding of ${nameOfRow(Math.floor(bad / m.cols))}.`,
      {
        remedy: 'Check the model for NaN weights and the clip or caption for broken input.',
      },
    )
  }
}

/**
 * Reads an index that {@link EmbeddingIndex.save} wrote. Throws MISSING_FILE, INVALID_FILE (cut short, damaged, or another kind of file),
 * INVALID_DATA when `model` is given and the index was made with another.
 */
export async function loadIndex(path: string, options: LoadIndexOptions = {}): Promise<EmbeddingIndex> {
  const { backend, model, precision } = checkOptions(options, 'loadIndex')
  if (precision !== undefined) assertPrecision(precision)
  const { embeddings, ids, model: made, precision: saved } = await readIndexFile(path)
  if (model !== undefined && made !== model) {
    const by = made === undefined ? 'an index that names no model' : `one made with ${made}`
    throw new SonotextError('INVALID_DATA', `Expected an index made with the model ${model}, got ${by}.`, {
      file: path,
      remedy: 'Embed the clips again with this model, or search with the model of the index.',
    })
  }
  const about = {
    dim: embeddings.cols,
    ...(backend && { backend }),
    ...(made !== undefined && { model: made }),
    precision: precision ?? saved,
  }
  createIndex(about) // what is wrong with the options is no fault of the file
  try {
    return EmbeddingIndex.over(embeddings, ids, about)
  } catch (cause) {
    throw new SonotextError('INVALID_FILE', `the index contradicts itself: ${(cause as Error).message}`, {
      file: path,
      cause,
    })
  }
}

/** Ops read float32; what is added is copied and may be any numbers. */
function checkNumbers({ data }: Matrix, name: string): void {
  if (!(data instanceof Float32Array)) throw expected('a matrix of a Float32Array', name, data)
}

export function checkK(k: number): void {
  if (!Number.isSafeInteger(k) || k < 1) throw expected('a whole number from 1', 'k', k)
}
