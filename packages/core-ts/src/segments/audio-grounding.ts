import { describe, readText, SonotextError } from '../base/index.js'
import { checkTimes, type RecordingSegments } from './recording-segments.js'
import { isObject, parsed } from './json.js'
import type { TimeSpan } from './time-span.js'

/** A phrase of a caption, where it stands there, and where it is heard. */
export interface GroundedPhrase {
  readonly phrase: string
  /** Characters of the caption: `caption.slice(start, end)` is the phrase. */
  readonly start: number
  readonly end: number
  /** Empty where it is nowhere heard. */
  readonly spans: readonly TimeSpan[]
}

/** A caption of a clip with its phrases, in the order of the file. */
export interface GroundedCaption {
  /** File name of the clip. */
  readonly audio: string
  readonly audiocapId: number
  readonly caption: string
  readonly phrases: readonly GroundedPhrase[]
}

/**
 * AudioGrounding: version 1 is a table by columns (`audiocap_id, filename, caption, tokens, soundtag, start_word, timestamps`, each an
 * object of rows), one row a phrase; version 2 a list of `{ audiocap_id, audio_id, tokens, phrases: [{ phrase, start_index, end_index,
 * segments }] }`. Which it is is told from the file. Throws MISSING_FILE; INVALID_FILE naming the row whose words are not where it says.
 */
export async function readAudioGrounding(
  path: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<GroundedCaption[]> {
  return parseAudioGrounding(await readText(path, { signal: options.signal }), path)
}

/** The same of a text. */
export function parseAudioGrounding(text: string, file: string): GroundedCaption[] {
  const value = parsed(text, file)
  if (Array.isArray(value)) return value.map((item: unknown, i) => ofItem(item, `${file}, item ${i + 1}`))
  if (isObject(value)) return ofColumns(value, file)
  throw wrong(file, `expected columns or a list of captions, got ${describe(value)}.`)
}

/** Captions of one clip together: where each of its phrases is heard. */
export function groundedSegments(captions: readonly GroundedCaption[]): RecordingSegments[] {
  return Array.from(
    Map.groupBy(captions, ({ audio }) => audio),
    ([recording, own]) => {
      const phrases = own.flatMap((caption) => caption.phrases)
      const [first, ...rest] = own
      return {
        recording,
        ...(rest.length === 0 ? { text: first!.caption } : {}),
        phrases: [...new Set(phrases.map(({ phrase }) => phrase))],
        segments: phrases.flatMap(({ phrase, spans }) => spans.map((span) => ({ phrase, ...span }))),
      }
    },
  )
}

const columnNames = [
  'audiocap_id',
  'filename',
  'caption',
  'tokens',
  'soundtag',
  'start_word',
  'timestamps',
] as const

function ofColumns(table: Record<string, unknown>, file: string): GroundedCaption[] {
  const missing = columnNames.filter((name) => !isObject(table[name]))
  if (missing.length > 0) {
    throw wrong(
      file,
      `expected the columns ${columnNames.join(', ')}, each an object of rows; missing: ${missing.join(', ')}.`,
    )
  }
  const columns = table as Record<(typeof columnNames)[number], Record<string, unknown>>
  const captions = new Map<
    string,
    { -readonly [K in keyof GroundedCaption]: GroundedCaption[K] } & { phrases: GroundedPhrase[] }
  >()
  for (const row of Object.keys(columns.soundtag)) {
    const at = `${file}, row ${row}`
    const cell = (name: (typeof columnNames)[number]): unknown =>
      Object.hasOwn(columns[name], row) ? columns[name][row] : undefined
    const [audio, caption, phrase] = (['filename', 'caption', 'soundtag'] as const).map((name) =>
      stringOf(cell(name), name, at),
    ) as [string, string, string]
    const words = wordsOf(cell('tokens'), at)
    const first = indexOf(cell('start_word'), 'start_word', at)
    const audiocapId = indexOf(cell('audiocap_id'), 'audiocap_id', at)
    const { start, end } = placeOf(caption, words, first, first + phrase.split(' ').length, phrase, at)
    const key = JSON.stringify([audio, audiocapId, caption])
    const own = captions.get(key) ?? { audio, audiocapId, caption, phrases: [] }
    captions.set(key, own)
    own.phrases.push({ phrase, start, end, spans: spansOf(cell('timestamps'), at) })
  }
  return [...captions.values()]
}

function ofItem(item: unknown, at: string): GroundedCaption {
  if (!isObject(item)) throw wrong(at, `expected an object, got ${describe(item)}.`)
  const { tokens, phrases } = item
  const caption = typeof tokens === 'string' ? tokens : wordsOf(tokens, at).join(' ')
  const words = typeof tokens === 'string' ? tokens.split(/\s+/).filter(Boolean) : wordsOf(tokens, at)
  if (!Array.isArray(phrases)) throw wrong(at, `expected a list for phrases, got ${describe(phrases)}.`)
  return {
    audio: stringOf(item.audio_id, 'audio_id', at),
    audiocapId: indexOf(item.audiocap_id, 'audiocap_id', at),
    caption,
    phrases: phrases.map((one: unknown, i): GroundedPhrase => {
      const own = `${at}, phrase ${i + 1}`
      if (!isObject(one)) throw wrong(own, `expected an object, got ${describe(one)}.`)
      const phrase = stringOf(one.phrase, 'phrase', own)
      const first = indexOf(one.start_index, 'start_index', own)
      const last = indexOf(one.end_index, 'end_index', own)
      // Whether the last word counts is told by the phrase itself.
      const count = phrase.split(/\s+/).filter(Boolean).length
      const end = last - first + 1 === count ? last + 1 : last
      return {
        phrase,
        ...placeOf(caption, words, first, end, phrase, own),
        spans: spansOf(one.segments, own),
      }
    }),
  }
}

/** Characters of the words `first` … `end` − 1 in the caption. Throws unless they are the phrase. */
function placeOf(
  caption: string,
  words: readonly string[],
  first: number,
  end: number,
  phrase: string,
  at: string,
): { start: number; end: number } {
  let start = -1
  let place = 0
  for (let word = 0; word < Math.min(end, words.length); word++) {
    const found = caption.indexOf(words[word]!, place)
    if (found < 0) throw wrong(at, `the word "${words[word]!.slice(0, 40)}" is not in the caption.`)
    if (word === first) start = found
    place = found + words[word]!.length
  }
  if (start >= 0 && end <= words.length && caption.slice(start, place) === phrase)
    return { start, end: place }
  throw wrong(
    at,
    `the phrase "${phrase.slice(0, 60)}" does not stand at word ${first} of "${caption.slice(0, 80)}".`,
  )
}

function stringOf(value: unknown, name: string, at: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw wrong(at, `expected text for ${name}, got ${describe(value)}.`)
}

function wordsOf(value: unknown, at: string): string[] {
  if (Array.isArray(value) && value.every((word) => typeof word === 'string')) return value
  throw wrong(at, `expected a list of words for tokens, got ${describe(value)}.`)
}

function indexOf(value: unknown, name: string, at: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
  throw wrong(at, `expected a whole number from 0 for ${name}, got ${describe(value)}.`)
}

function spansOf(value: unknown, at: string): TimeSpan[] {
  if (!Array.isArray(value)) throw wrong(at, `expected a list of [onset, offset], got ${describe(value)}.`)
  return value.flatMap((pair: unknown) => {
    const [onset, offset] = Array.isArray(pair) ? (pair as unknown[]) : []
    if (typeof onset !== 'number' || typeof offset !== 'number')
      throw wrong(at, `expected [onset, offset] in seconds, got ${describe(pair)}.`)
    // [0, 0] is how the data set writes that the phrase is nowhere heard: 383 phrases of the train split of version 1.
    if (onset === 0 && offset === 0) return []
    checkTimes(onset, offset, at)
    return [{ onset, offset }]
  })
}

function wrong(at: string, message: string): SonotextError {
  return new SonotextError('INVALID_FILE', message, {
    file: at,
    remedy: 'Check that this is a file of AudioGrounding.',
  })
}
