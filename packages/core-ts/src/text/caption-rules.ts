import { expected } from '../base/errors.js'
import type { Rng } from '../base/rng.js'
import { splitPhrases } from './phrases/index.js'
import { tokenize } from './tokenize.js'

/** A caption that was made from one of a batch and is not true of its clip. */
export interface WrittenText {
  /** Place of the caption that it was made from. */
  readonly of: number
  readonly text: string
  readonly rule: string
}

/** Makes captions that are not true from those of a batch. Deterministic in captions and stream. */
export interface CaptionWriter {
  /** Options, as JSON: a run is gone on with only by the same writer. */
  readonly config: object
  /** At most one for each caption. */
  write(captions: readonly string[], rng: Rng): WrittenText[]
}

/** A caption changed so that it is not true any more; null where the rule finds nothing to change. */
type CaptionRule = (caption: string, others: readonly string[], rng: Rng) => string | null

/** Words that end a clause on either side of an order word. */
const edge = String.raw`(?:,|\b(?:while|as|with|over|against|hear|there (?:is|are)|first|then|before|after|followed|and|can|in the)\b)`
const beforeOrder = new RegExp(String.raw`(?:^|${edge})\s*((?:(?!${edge}).)+?)$`, 'i')
const behindOrder = new RegExp(String.raw`^((?:(?!${edge}).)+?)(?=\s*(?:$|\.|${edge}))`, 'i')
const orderWords = /,? (?:and )?then |,? followed by | before | after /i
const orderedHead = /^(before|after) ([^,]+), ([^,.]+)/i

/** "a dog barks, then a bell rings" → "a bell rings, then a dog barks"; "after a, b" → "after b, a". */
export const swapOrder: CaptionRule = (caption) => {
  const head = orderedHead.exec(caption)
  if (head !== null) {
    const [all, word, first, second] = head as unknown as [string, string, string, string]
    return same(first, second) ? null : `${word} ${second}, ${first}${caption.slice(all.length)}`
  }
  const words = orderWords.exec(caption)
  if (words === null) return null
  const at = words.index
  const left = beforeOrder.exec(caption.slice(0, at))?.[1]
  const right = behindOrder.exec(caption.slice(at + words[0].length))?.[1]
  if (left === undefined || right === undefined || same(left, right)) return null
  const end = at + words[0].length + right.length
  return (
    caption.slice(0, at - left.length) +
    asFirst(right, left) +
    words[0] +
    left.toLowerCase() +
    caption.slice(end)
  )
}

const counts = ['once', 'twice', 'three times', 'four times', 'five times']
const numbers = ['two', 'three', 'four', 'five', 'six']
const times = /\b(?:once|twice|(?:two|three|four|five|six|seven|eight|nine|ten|several) times)\b/i
const number = /\b(?:two|three|four|five|six)\b/i

/** "barks twice" → "barks four times"; "two dogs" → "three dogs". */
export const changeCount: CaptionRule = (caption, _, rng) => {
  const said = times.exec(caption) ?? number.exec(caption)
  if (said === null) return null
  const [words] = said
  const isTimes = times.test(words)
  const own = words.toLowerCase().replace('two times', 'twice')
  // Several may be any number but one or two.
  const other =
    own === 'several times' ? ['once', 'twice'] : (isTimes ? counts : numbers).filter((one) => one !== own)
  return (
    caption.slice(0, said.index) + asFirst(rng.pick(other), words) + caption.slice(said.index + words.length)
  )
}

/** "a dog barks while rain falls" → "a bell rings while rain falls": a phrase of another caption that has no word with this one in common. */
export const swapEvent: CaptionRule = (caption, others, rng) => {
  const { phrases } = splitPhrases(caption)
  if (phrases.length === 0) return null
  const own = new Set(contentOf(caption))
  const { text, start, end } = rng.pick(phrases)
  const strange = others
    .flatMap((other) => splitPhrases(other).phrases)
    .filter(
      (phrase) => contentOf(phrase.text).length > 0 && !contentOf(phrase.text).some((word) => own.has(word)),
    )
  if (strange.length === 0) return null
  return caption.slice(0, start) + asFirst(rng.pick(strange).text, text) + caption.slice(end)
}

/** Every rule by its name. */
export const captionRules = { order: swapOrder, event: swapEvent, count: changeCount } as const
/** Name of a rule that makes a caption untrue. */
export type CaptionRuleName = keyof typeof captionRules
/** Names of all rules that make captions untrue: order, event, count. */
export const captionRuleNames = Object.keys(captionRules) as CaptionRuleName[]

/**
 * Writes for a share of the captions one that is not true: its events in another order, one event exchanged for another caption's, or another
 * count. The rule is drawn from those that find something to change.
 */
export function captionsByRule(rules: readonly CaptionRuleName[], share: number): CaptionWriter {
  const unknown = rules.find((rule) => !(rule in captionRules))
  if (rules.length === 0 || unknown !== undefined)
    throw expected(`some of ${captionRuleNames.join(', ')}`, 'rules', unknown ?? rules)
  if (!(share > 0 && share <= 1)) throw expected('a share above 0 and up to 1', 'share', share)
  return {
    config: { rules, share },
    write(captions, rng) {
      return captions.flatMap((caption, of) => {
        const own = rng.fork(of)
        if (own.uniform() >= share) return []
        const others = captions.filter((_, i) => i !== of)
        for (const rule of own.shuffle([...rules])) {
          const text = captionRules[rule](caption, others, own)
          if (text !== null && !same(text, caption)) return [{ of, text, rule }]
        }
        return []
      })
    },
  }
}

function same(a: string, b: string): boolean {
  return tokenize(a).join(' ') === tokenize(b).join(' ')
}

const small = new Set([
  'the',
  'and',
  'are',
  'for',
  'its',
  'his',
  'her',
  'one',
  'can',
  'with',
  'then',
  'while',
  'from',
  'some',
  'someone',
])

/** Words that tell sounds apart. */
function contentOf(text: string): string[] {
  return tokenize(text).filter((word) => word.length > 2 && !small.has(word))
}

/** With a capital where what it stands in for has one. */
function asFirst(text: string, replaced: string): string {
  const first = replaced.charAt(0)
  const isCapital = first !== first.toLowerCase()
  return (isCapital ? text.charAt(0).toUpperCase() : text.charAt(0).toLowerCase()) + text.slice(1)
}
