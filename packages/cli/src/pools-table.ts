import type { RetrievalPools } from '@sonotext/core/align'
import { table } from './table.js'

/** Recall within small pools, both directions: mean and deviation over the draws, and chance. */
export function poolsTable({ audioToText, textToAudio }: RetrievalPools): string {
  const rows = Object.keys(textToAudio).map((name) => [
    name,
    ...[textToAudio[name]!, audioToText[name]!].flatMap(({ mean, deviation, chance }) => [
      mean.toFixed(3),
      `± ${deviation.toFixed(3)}`,
      chance.toFixed(3),
    ]),
  ])
  const directions = ['text → audio', 'audio → text'].flatMap((title) => [title, 'draws', 'chance'])
  return table([['', ...directions], ...rows])
}
