import { throwIfAborted } from '../base/abort.js'
import { expected, SonotextError } from '../base/errors.js'
import { type Matrix, matrix } from '../base/matrix.js'
import type { AlignScorer, PhraseScorer, ScoreMap } from '../align/index.js'
import type { ClipWindow } from '../corpus/index.js'
import { padFeatures, padTokens } from '../data/index.js'
import { Tape } from '../nn/tape.js'
import { type EmbeddedBatch, toMatrix } from '../similarity/index.js'
import { functionWords, UNK } from '../text/index.js'
import type { DualEncoder } from './dual-encoder.js'

/** Options of {@link frameScorer}. */
export interface FrameScorerOptions<Clip> {
  /**
   * Features of a clip in windows that overlap: see `Corpus.windows`. What a window gives within `margin` of its ends is not used,
   * but at the ends of the clip.
   */
  windows: (clip: Clip, options: { readonly signal?: AbortSignal }) => AsyncIterable<ClipWindow>
  /** Seconds at the ends of a window that give the encoder what it needs of the context. Default 0. */
  margin?: number
  /**
   * Seconds from the place of a frame to the middle of what it hears, less half a frame: half of what a patch is longer than the step
   * between patches. Default 0.
   */
  lead?: number
}

/**
 * A model as what `align` asks for: every frame of a clip is compared with every known word of a phrase (none where nothing but function words is
 * known of it) as the model's similarity compares clips with captions, or with the phrase as a whole where the model makes one vector of it.
 * @throws SonotextError UNSUPPORTED, when it is used, for a model whose audio encoder gives no vectors for frames, and for features
 *   without time
 */
export function frameScorer<Clip>(
  model: DualEncoder,
  { windows, margin = 0, lead = 0 }: FrameScorerOptions<Clip>,
): AlignScorer<Clip> {
  for (const [name, value] of Object.entries({ margin, lead }))
    if (!(value >= 0 && Number.isFinite(value))) throw expected('0 or more seconds', name, value)
  return {
    async prepare(phrases, options = {}) {
      throwIfAborted(options.signal)
      const { columns, words } = wordVectors(model, phrases)
      const score = (features: Matrix) => frameScores(model, features, words)
      return {
        phrases,
        columns,
        score: (clip, inner = {}) => pieces(windows(clip, inner), { margin, lead }, score),
        [Symbol.dispose]() {},
      } satisfies PhraseScorer<Clip>
    },
  }
}

/** What the similarity compares frames with: a vector for each known word, or for each phrase with one. */
function wordVectors(model: DualEncoder, phrases: readonly string[]): { columns: Int32Array; words: Matrix } {
  const { text, backend } = model
  const tokens = phrases.map((phrase) => text.encode(phrase))
  using tape = new Tape(backend)
  const { values, lengths } = model.similarity.masked.prepare(tape, text.forward(tape, padTokens(tokens)))
  const all = values.toArray()
  const columns: number[] = []
  const rows: Float32Array[] = []
  const [width, dim] = lengths === null ? [1, values.shape[1]!] : [values.shape[1]!, values.shape[2]!]
  for (const [p, indices] of tokens.entries()) {
    const known = knownWords(indices, text.encoder.tokenize(phrases[p]!))
    const used = lengths === null ? [known.includes(true)] : known
    for (const [w, use] of used.entries()) {
      if (!use) continue
      const at = (p * width + w) * dim
      columns.push(p)
      rows.push(Float32Array.from(all.subarray(at, at + dim)))
    }
  }
  const words = matrix(rows.length, dim)
  for (const [r, vector] of rows.entries()) words.data.set(vector, r * dim)
  return { columns: Int32Array.from(columns), words }
}

/** Which words of a phrase count. Of "a violin plays" none does where nothing but "a" is known: it would be looked for in place of the violin. */
function knownWords(indices: Int32Array, words: readonly string[]): boolean[] {
  const known = Array.from(indices, (index) => index !== UNK)
  const says = known.some((is, w) => is && !functionWords.has(words[w]?.toLowerCase() ?? ''))
  return says || !known.includes(false) ? known : known.map(() => false)
}

/** [frames × words]: each frame as a clip, and each word as a caption, of its own. */
function frameScores(model: DualEncoder, features: Matrix, words: Matrix): Matrix {
  if (words.rows === 0 || features.rows === 0) return matrix(features.rows, words.rows)
  const { audio, similarity, backend } = model
  using tape = new Tape(backend)
  const { values, lengths } = audio.forward(tape, padFeatures([features], audio.encoder))
  if (lengths === null) {
    throw new SonotextError(
      'UNSUPPORTED',
      'the audio encoder of this model gives one vector for a whole clip, and none for its frames.',
      {
        remedy: 'Align with a model whose audio encoder gives a sequence, such as crnn or projection.',
      },
    )
  }
  const dim = values.shape[2]!
  const frames = Float32Array.from(values.toArray().subarray(0, features.rows * dim))
  const side = (rows: number, data: Float32Array): EmbeddedBatch => ({
    values: tape.constant([rows, dim], data),
    lengths: null,
  })
  return toMatrix(similarity.masked.score(tape, side(features.rows, frames), side(words.rows, words.data)))
}

/**
 * The maps of windows without what lies within the margin, so that they follow each other. A frame that hears more than its own time lies
 * in the middle of what it hears: all move back by `lead`, the first also stands for what comes before it, the last for what follows as far as
 * it hears, and what would begin past the end of the recording is left out.
 */
async function* pieces(
  windows: AsyncIterable<ClipWindow>,
  { margin, lead }: { readonly margin: number; readonly lead: number },
  score: (features: Matrix) => Matrix,
): AsyncGenerator<ScoreMap, void, undefined> {
  /** Frames given so far, and the scores of the last window, of which it is not known yet whether another follows. */
  let given = 0
  let held: { map: Matrix; first: number; frameStep: number; end: number } | undefined
  const piece = (until: number, end?: number): ScoreMap => {
    const { map, first, frameStep } = held!
    const { cols } = map
    const before = given === 0 ? Math.floor(lead / frameStep) : 0
    const place = given === 0 ? lead - before * frameStep : lead + given * frameStep
    // A clip that ends before its first frame begins is that frame.
    const start = end === undefined || place < end ? place : 0
    const own = before + until - given
    // The last frame hears half a step and the lead past its middle, and the recording may go on for less than another step.
    const behind = Math.ceil(lead / frameStep) + 1
    const rows =
      end === undefined
        ? own
        : Math.max(1, Math.min(own + behind, Math.ceil((end - start) / frameStep - 1e-6)))
    const scores = matrix(rows, cols)
    for (let r = 0; r < rows; r++) {
      const from = given - first + Math.min(Math.max(0, r - before), until - given - 1)
      scores.data.set(map.data.subarray(from * cols, (from + 1) * cols), r * cols)
    }
    given = until
    return { scores, frameStep, start, ...(end === undefined ? {} : { end }) }
  }
  for await (const { features, frameStep, start, end } of windows) {
    if (!(frameStep > 0)) {
      throw new SonotextError('UNSUPPORTED', 'the features of this model have no time.', {
        remedy:
          'Align with features that have a step between frames: log-mel, or sequences with a frameStep.',
      })
    }
    const first = Math.round(start / frameStep)
    if (held !== undefined) {
      const until = Math.min(held.first + held.map.rows, first + Math.round(margin / frameStep))
      if (until < first) throw expected('windows without gaps', 'windows', `one that begins at ${start} s`)
      if (until > given) yield piece(until)
    }
    held = { map: score(features), first, frameStep, end }
  }
  const until = held === undefined ? 0 : held.first + held.map.rows
  if (until > given) yield piece(until, held!.end)
}
