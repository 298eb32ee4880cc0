import { type Matrix, row } from '../../base/index.js'
import { functionWords, latentSemantics, termsOf, tokenize } from '../../text/index.js'
import { type CaptionedClips, dot } from '../similarity/index.js'

/** A clip that serves as a control, and how similar its captions are to those of the list's own clip, from 0 to 1. */
export interface Control {
  readonly item: string
  readonly similarity: number
}

/** How the control of a caption in a listening test is chosen, for people. */
export const controlRule =
  'The control of a caption is a clip whose captions are least similar to those of the caption’s own clip: the larger of two cosines, that of their stemmed words weighted by rarity and reduced to 100 dimensions at most (LSA), and that of the stemmed content words they have. Of the least similar quarter, as far as it lies within a tenth of the way from the least to the most similar clip, it is the clip that was a control least often.'

/** More similar clips than so much of the way to the most similar one are no controls, however few others there are. */
const slack = 0.1

/** Chooses controls: clips that cannot fit, as far as captions tell, by turns. Same captions, same controls. */
export class Controls {
  readonly #clips: readonly string[]
  readonly #places: ReadonlyMap<string, number>
  readonly #vectors: Matrix
  readonly #words: readonly ReadonlySet<string>[]
  readonly #used = new Map<string, number>()

  private constructor(clips: readonly string[], texts: readonly string[], vectors: Matrix) {
    this.#clips = clips
    this.#places = new Map(clips.map((clip, place) => [clip, place]))
    this.#vectors = vectors
    this.#words = texts.map(contentStems)
  }

  /** Throws INVALID_DATA where the captions have no words. */
  static async of(
    { byClip }: CaptionedClips,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Controls> {
    const texts = Array.from(byClip.values(), (captions) => captions.map(({ text }) => text).join(' '))
    // With up to 100 clips nothing is reduced: then these are plain cosines of weighted words.
    const terms = await latentSemantics(texts, {
      ...{ terms: 'stems', dim: 100, minTexts: 1, seed: 17 },
      ...(signal && { signal }),
    })
    const vectors = await terms.embed(
      texts.map((text) => ({ text })),
      { ...(signal && { signal }) },
    )
    return new Controls([...byClip.keys()], texts, vectors)
  }

  /** The control of a list of this clip's caption, among the clips that `may` be it; undefined where none may. */
  next(own: string, may: (clip: string) => boolean): Control | undefined {
    const place = this.#places.get(own)!
    const found = this.#clips.flatMap((item, other): Control[] =>
      item !== own && may(item) ? [{ item, similarity: this.#similarity(place, other) }] : [],
    )
    if (found.length === 0) return undefined
    // Sorting is stable: clips that are as similar stay in the order of the data.
    found.sort((a, b) => a.similarity - b.similarity)
    const quarter = found[Math.ceil(found.length / 4) - 1]!.similarity
    const [least, most] = [found[0]!.similarity, found.at(-1)!.similarity]
    const limit = Math.min(quarter, least + slack * (most - least))
    const usedOf = ({ item }: Control) => this.#used.get(item) ?? 0
    const pool = found.filter(({ similarity }) => similarity <= limit)
    const chosen = pool.reduce((best, one) => (usedOf(one) < usedOf(best) ? one : best))
    this.#used.set(chosen.item, usedOf(chosen) + 1)
    return chosen
  }

  /** Words that most captions have weigh nothing in LSA, and yet tell that two clips are of the kind that most are of. */
  #similarity(a: number, b: number): number {
    const [one, two] = [this.#words[a]!, this.#words[b]!]
    const size = Math.sqrt(one.size * two.size)
    const common = size === 0 ? 0 : [...one].filter((stem) => two.has(stem)).length / size
    return Math.max(common, dot(row(this.#vectors, a), row(this.#vectors, b)))
  }
}

function contentStems(text: string): ReadonlySet<string> {
  const content = tokenize(text).filter((word) => !functionWords.has(word))
  return new Set(termsOf(content.join(' '), 'stems'))
}
