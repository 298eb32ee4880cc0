import { checkOptions, expected, hash32, nearest, Rng, type SonotextError } from '@sonotext/core/base'
import type { Lexeme, Lexicon } from './lexeme.js'
import { canonicalLabel, lexemeOf } from './lexicon.js'
import { proceduralLabels, soundSeconds, synthesizeWith } from './sound-bank.js'

/** Options of {@link SoundBank.pick}. */
export interface PickOptions {
  /** Decides everything: the same stream picks the same sounds. */
  readonly rng: Rng
  /** Only recordings of this split are picked. */
  readonly split: string
  /** Hz of the samples wanted. */
  readonly sampleRate: number
  /**
   * `occurrences`: `count` single occurrences of a counted class, of one source (the same dog), or one uncounted stretch where the bank
   * has no single ones. `episode`: one stretch of at most `seconds`. `texture`: exactly `seconds`, steady from end to end.
   */
  readonly as: 'occurrences' | 'episode' | 'texture'
  readonly seconds: number
  readonly count?: number
  readonly signal?: AbortSignal
}

/** Sounds of one class from one source. */
export interface PickedSound {
  readonly label: string
  /** Names the recording (or the voice): never the same in two splits. */
  readonly source: string
  /** Whether every take is exactly one occurrence. */
  readonly counted: boolean
  readonly takes: readonly Float32Array[]
}

/** Where scenes get their sounds from. */
export interface SoundBank {
  /** Changes when the sounds change, so that a half-made set of scenes is not finished with others. */
  readonly id: string
  /** Classes that have sounds in a split, sorted. Throws INVALID_ARGUMENT for a split the bank does not have. */
  labels(split: string): readonly string[]
  /** How to speak of a class, and which part it can take. */
  lexeme(label: string): Lexeme
  /** Throws INVALID_ARGUMENT for an unknown label, INVALID_DATA when no usable sound is left, ABORTED. */
  pick(label: string, options: PickOptions): Promise<PickedSound>
  /** Recordings that could not be used so far, with the reason; the bank went on without them. */
  readonly unusable: readonly { readonly file: string; readonly reason: string }[]
}

/** Options of {@link proceduralBank}. */
export interface ProceduralBankOptions {
  /** Default: all of {@link proceduralLabels}. */
  readonly labels?: readonly string[]
  /** Words for labels, before the built-in ones. */
  readonly lexicon?: Lexicon
}

/** Goes into the id: raise it when any sound changes. */
const proceduralVersion = 1

/**
 * A bank that needs no recording: every pick is a new voice of a synthesised class. Splits may have any name; no two of them share a
 * voice.
 */
export function proceduralBank(options: ProceduralBankOptions = {}): SoundBank {
  checkOptions(options, 'proceduralBank')
  const labels = [...new Set(options.labels ?? proceduralLabels)].sort()
  for (const label of labels) requireLabel(label, proceduralLabels)
  if (labels.length === 0) throw expected('at least one label', 'labels', labels)
  const words =
    options.lexicon === undefined ? '' : `:${hash32(JSON.stringify(options.lexicon)).toString(16)}`
  const lexemes = new Map(labels.map((label) => [label, lexemeOf(label, options.lexicon)]))
  const lexeme = (label: string): Lexeme => lexemes.get(requireLabel(label, labels))!
  return {
    id: `procedural-${proceduralVersion}:${labels.join(',')}${words}`,
    labels: () => labels,
    lexeme,
    unusable: [],
    async pick(label, { rng, split, sampleRate, as, seconds, count = 1 }) {
      const { unit } = lexeme(label)
      const counted = as === 'occurrences' && unit !== null
      const voice = rng.uint32()
      const [shortest, longest] = soundSeconds(label)
      // Streams are named after the split: a voice of one split cannot be met in another.
      const take = (length: number) =>
        synthesizeWith(new Rng(voice, `voice/${split}/${label}`), label, sampleRate, length)
      const source = `procedural/${label}/${split}/${voice.toString(16).padStart(8, '0')}`
      if (as === 'texture') return { label, source, counted, takes: [take(seconds)] }
      const length = rng.between(shortest, longest)
      if (!counted)
        return { label, source, counted, takes: [take(Math.min(seconds, Math.max(length, shortest)))] }
      // The same voice, a little longer or shorter each time: nobody barks twice in exactly the same way.
      const takes = Array.from({ length: count }, () => take(length * rng.between(0.92, 1.08)))
      return { label, source, counted, takes }
    },
  }
}

/** Throws INVALID_ARGUMENT with the nearest label unless it is one of them. */
export function requireLabel(label: string, labels: readonly string[]): string {
  if (labels.includes(label)) return label
  const close = nearest(canonicalLabel(label), labels)
  const remedy = close === undefined ? `There are: ${labels.join(', ')}.` : `Did you mean "${close}"?`
  throw expected('a label of the bank', 'label', label, { remedy })
}

/** INVALID_ARGUMENT for a split that a bank does not have. */
export function unknownSplit(split: string, splits: Iterable<string>): SonotextError {
  return expected('a split of the bank', 'split', split, { remedy: `There are: ${[...splits].join(', ')}.` })
}
