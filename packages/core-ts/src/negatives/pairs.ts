import type { RaggedIndices } from '../base/ragged.js'

/** A pair of a batch as strategies, guards and losses see it: who it is, not what it sounds like. */
export interface PairItem {
  readonly clip: { readonly id: string }
  readonly caption: { readonly id: string; readonly text: string }
  /** Number of the clip's group, within one source of batches. */
  readonly group: number
}

/** [n] group number of each pair. */
export function groupsOf(items: readonly PairItem[]): Int32Array {
  return Int32Array.from(items, ({ group }) => group)
}

/** Which clip of a batch must not be set against which caption of it. */
export class PairMask {
  readonly n: number
  /** [n × n], clips × captions; 1 where the pair is barred. */
  readonly data: Uint8Array

  constructor(n: number) {
    this.n = n
    this.data = new Uint8Array(n * n)
  }

  has(clip: number, caption: number): boolean {
    return this.data[clip * this.n + caption] !== 0
  }

  bar(clip: number, caption: number): void {
    this.data[clip * this.n + caption] = 1
  }

  /** Barred either way round: for picks of a pair that serves both directions. */
  eitherWay(): PairMask {
    const both = new PairMask(this.n)
    for (let i = 0; i < this.n; i++)
      for (let j = 0; j < this.n; j++) if (this.has(i, j) || this.has(j, i)) both.bar(i, j)
    return both
  }

  /** List i: the captions that clip i must not be set against, of those that are asked for. */
  lists(wanted: (clip: number, caption: number) => boolean = () => true): RaggedIndices {
    const offsets = new Int32Array(this.n + 1)
    const index: number[] = []
    for (let i = 0; i < this.n; i++) {
      for (let j = 0; j < this.n; j++) if (this.has(i, j) && wanted(i, j)) index.push(j)
      offsets[i + 1] = index.length
    }
    return { offsets, index: Int32Array.from(index) }
  }
}
