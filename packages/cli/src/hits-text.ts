import { relative } from 'node:path'
import type { ClipHit } from '@sonotext/core/runs'

/** The clips found for one sentence, as printed with --json. */
export interface FoundClips {
  query: string
  hits: { rank: number; score: number; id: string; audio: string; captions: string[] }[]
}

/** The captions found for one recording, as printed with --json. */
export interface FoundCaptions {
  query: string
  /** `clip` is the id of the clip that the caption was written for. */
  hits: { rank: number; score: number; id: string; text: string; clip: string }[]
}

export function toFound(sentences: readonly string[], hits: readonly (readonly ClipHit[])[]): FoundClips[] {
  return sentences.map((query, index) => ({
    query,
    hits: hits[index]!.map(({ rank, score, clip }) => ({
      rank,
      score,
      id: clip.id,
      audio: clip.audio,
      captions: clip.captions.map(({ text }) => text),
    })),
  }))
}

export function hitsText(found: readonly FoundClips[]): string {
  return found
    .map(({ query, hits }) =>
      [
        `“${query}”`,
        ...hits.map(
          ({ rank, score, audio, captions }) =>
            `  ${rank}. ${score.toFixed(3)}  ${relative('.', audio)}${captions.length > 0 ? `  “${captions[0]}”` : ''}`,
        ),
      ].join('\n'),
    )
    .join('\n\n')
}

export function captionsText(found: readonly FoundCaptions[]): string {
  return found
    .map(({ query, hits }) =>
      [query, ...hits.map(({ rank, score, text }) => `  ${rank}. ${score.toFixed(3)}  “${text}”`)].join('\n'),
    )
    .join('\n\n')
}
