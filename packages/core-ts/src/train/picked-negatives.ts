import type { RaggedIndices } from '../base/ragged.js'
import type { NegativeSet, PairItem } from '../negatives/index.js'

/** What a strategy set against one pair of a batch, by id. */
export interface PickedNegatives {
  readonly clip: string
  readonly caption: string
  /** Clips against the caption. */
  readonly clips: readonly string[]
  /** Captions against the clip. */
  readonly captions: readonly string[]
}

export function pickedNegatives(
  { audio, text }: NegativeSet,
  items: readonly PairItem[],
  candidates: readonly PairItem[] = items,
): PickedNegatives[] {
  return items.map(({ clip, caption }, i) => ({
    clip: clip.id,
    caption: caption.id,
    clips: listOf(audio, i).map((j) => candidates[j]!.clip.id),
    captions: listOf(text, i).map((j) => candidates[j]!.caption.id),
  }))
}

function listOf({ offsets, index }: RaggedIndices, i: number): number[] {
  return [...index.subarray(offsets[i], offsets[i + 1])]
}
