import type { Matrix } from '../base/matrix.js'

/** A caption or query as a sentence encoder takes it. */
export interface Sentence {
  readonly text: string
  /** Id of the caption, where vectors were made elsewhere and are known by it. */
  readonly id?: string
}

/** A pretrained model that gives one vector for a sentence. */
export interface SentenceTower {
  readonly name: string
  /** Names everything that decides its numbers, as a folder can be named; kept vectors lie under it. */
  readonly id: string
  /** Length of its vectors. */
  readonly cols: number
  /** Whether kept vectors are worth reading instead of making them again. */
  readonly costly: boolean
  /** Of a tower whose vectors are those of others side by side: the others, each of which keeps its own. */
  readonly parts?: readonly SentenceTower[]
  /** A vector for each sentence, n × cols; what one gives does not depend on the others. */
  embed(sentences: readonly Sentence[], options?: { readonly signal?: AbortSignal }): Promise<Matrix>
}
