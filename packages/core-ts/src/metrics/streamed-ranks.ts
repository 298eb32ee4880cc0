import { expected, SonotextError } from '../base/index.js'
import type { RankedQuery } from './measure.js'

/** Scores of some clips (rows) against some captions (columns), row-major. */
export interface ScoreTile {
  /** Index of the clip of each row, and of the caption of each column. */
  readonly clips: ArrayLike<number>
  readonly captions: ArrayLike<number>
  readonly scores: Float32Array
}

/**
 * Ranks of the relevant items both ways without the matrix of scores: tiles of it are looked at twice and forgotten. First every tile
 * that holds a clip with a caption of its own ({@link noteRelevant}), then every tile ({@link count}). A score must be the same number
 * both times. Memory is that of clips and captions. The ranks are those of {@link rankBothWays}.
 */
export class StreamedRanks {
  readonly #captionClip: Int32Array
  /** Score of each caption with its own clip. */
  readonly #own: Float64Array
  readonly #noted: Uint8Array
  /** Of each caption: clips that come before its own. */
  readonly #before: Int32Array
  /** The captions of clip i are `order[start[i]]` … `order[start[i + 1] - 1]`, best first once they are sorted. */
  readonly #start: Int32Array
  readonly #order: Int32Array
  /** Beside `order`: captions that come before this one and everything after it, but not before the one in front of it. */
  readonly #outranked: Int32Array
  #sorted = false

  /** `captionClip[j]` is the index of the clip that caption j belongs to. */
  constructor(clips: number, captionClip: ArrayLike<number>) {
    const captions = captionClip.length
    if (clips === 0 || captions === 0)
      throw expected('at least one clip and one caption', 'scores', `${clips}×${captions}`)
    this.#captionClip = Int32Array.from(captionClip)
    this.#own = new Float64Array(captions)
    this.#noted = new Uint8Array(captions)
    this.#before = new Int32Array(captions)
    this.#start = new Int32Array(clips + 1)
    this.#order = new Int32Array(captions)
    this.#outranked = new Int32Array(captions)
    for (const [j, clip] of this.#captionClip.entries()) {
      if (captionClip[j] !== clip || clip < 0 || clip >= clips)
        throw expected(`a clip index below ${clips}`, `captionClip[${j}]`, captionClip[j])
      this.#start[clip + 1]!++
    }
    for (let i = 0; i < clips; i++) this.#start[i + 1]! += this.#start[i]!
    const next = this.#start.slice()
    for (const [j, clip] of this.#captionClip.entries()) this.#order[next[clip]!++] = j
  }

  /** The first look: takes the scores of captions with their own clips. */
  noteRelevant({ clips, captions, scores }: ScoreTile): void {
    const rows = new Map(Array.from(clips, (clip, row) => [clip, row]))
    for (let c = 0; c < captions.length; c++) {
      const caption = captions[c]!
      const row = rows.get(this.#captionClip[caption]!)
      if (row === undefined) continue
      const score = scores[row * captions.length + c]!
      if (score !== score) throw nanScore(this.#captionClip[caption]!, caption)
      this.#own[caption] = score
      this.#noted[caption] = 1
    }
  }

  /** The second look: compares every score with those that were noted. Throws INVALID_DATA when one is NaN. */
  count({ clips, captions, scores }: ScoreTile): void {
    this.#sort()
    const own = this.#own
    const captionClip = this.#captionClip
    for (let r = 0, at = 0; r < clips.length; r++) {
      const clip = clips[r]!
      const [first, last] = [this.#start[clip]!, this.#start[clip + 1]! - 1]
      const least = last < first ? Infinity : own[this.#order[last]!]!
      for (let c = 0; c < captions.length; c++, at++) {
        const score = scores[at]!
        const caption = captions[c]!
        const threshold = own[caption]!
        if (score > threshold || (score === threshold && clip < captionClip[caption]!))
          this.#before[caption]!++
        else if (score !== score) throw nanScore(clip, caption)
        if (score >= least) this.#outrank(first, last, score, caption)
      }
    }
  }

  /** Finds the first of a clip's own captions that comes behind one with this score. */
  #outrank(first: number, last: number, score: number, caption: number): void {
    let low = first
    let high = last + 1
    while (low < high) {
      const mid = (low + high) >>> 1
      const other = this.#order[mid]!
      const threshold = this.#own[other]!
      if (score > threshold || (score === threshold && caption < other)) high = mid
      else low = mid + 1
    }
    if (low <= last) this.#outranked[low]!++
  }

  ranks(): { readonly textToAudio: RankedQuery[]; readonly audioToText: RankedQuery[] } {
    this.#sort()
    const textToAudio = Array.from(this.#before, (before) => ({ ranks: [1 + before], relevant: 1 }))
    const audioToText = Array.from({ length: this.#start.length - 1 }, (_, clip) => {
      const outranked = this.#outranked.subarray(this.#start[clip], this.#start[clip + 1])
      let rank = 1
      return { ranks: Array.from(outranked, (count) => (rank += count)), relevant: outranked.length }
    })
    return { textToAudio, audioToText }
  }

  #sort(): void {
    if (this.#sorted) return
    this.#sorted = true
    const missing = this.#noted.indexOf(0)
    if (missing >= 0) throw expected('a score with its own clip', `caption ${missing}`, undefined)
    for (let i = 0; i + 1 < this.#start.length; i++) {
      this.#order
        .subarray(this.#start[i], this.#start[i + 1])
        .sort((a, b) => this.#own[b]! - this.#own[a]! || a - b)
    }
  }
}

function nanScore(clip: number, caption: number): SonotextError {
  return new SonotextError(
    'INVALID_DATA',
    `Expected a number for each score, got NaN for clip ${clip} and caption ${caption}.`,
    { remedy: 'Check the embeddings that were scored for NaN.' },
  )
}
