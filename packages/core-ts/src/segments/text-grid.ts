import { SonotextError } from '../base/index.js'
import { checked, checkTimes, oneLine, type SegmentFormat, single, stemOf } from './recording-segments.js'
import { type Tier, tiersOf } from './tiers.js'

/** Praat's TextGrid in its long text form: an interval tier for each phrase. It names no recording. */
export const praatTextGrid: SegmentFormat = {
  name: 'textgrid',
  description: 'Praat: a tier for each phrase',
  extension: '.TextGrid',
  several: false,
  keeps: 'lines',
  write(recordings) {
    const { duration = 0, segments } = single(checked(recordings), 'a TextGrid')
    // Praat reads no TextGrid without a tier.
    const tiers = segments.length > 0 ? tiersOf(segments) : [{ name: 'segments', segments }]
    const end = segments.reduce((last, { offset }) => Math.max(last, offset), duration) || 1
    const lines = [
      'File type = "ooTextFile"',
      'Object class = "TextGrid"',
      '',
      'xmin = 0',
      `xmax = ${end}`,
      'tiers? <exists>',
      `size = ${tiers.length}`,
      'item []:',
      ...tiers.flatMap((tier, i) => tierLines(tier, i + 1, end)),
    ]
    return `${lines.join('\n')}\n`
  },
  read(text, file) {
    const tokens = new Tokens(text, file)
    tokens.expectText('ooTextFile')
    tokens.expectText('TextGrid')
    const [start, end] = [tokens.number(), tokens.number()]
    const segments: { phrase: string; onset: number; offset: number }[] = []
    const tiers = tokens.flag() ? tokens.count() : 0
    for (let tier = 0; tier < tiers; tier++) {
      const kind = tokens.text()
      tokens.text()
      tokens.number()
      tokens.number()
      const size = tokens.count()
      for (let i = 0; i < size; i++) {
        const onset = tokens.number()
        const offset = kind === 'IntervalTier' ? tokens.number() : onset
        const label = tokens.text()
        // Points have no length, and an interval without a label is a gap.
        if (kind !== 'IntervalTier' || label.trim() === '') continue
        checkTimes(onset - start, offset - start, tokens.place)
        segments.push({ phrase: label, onset: onset - start, offset: offset - start })
      }
    }
    return [{ recording: stemOf(file), ...(end > start ? { duration: end - start } : {}), segments }]
  },
}

function tierLines({ name, segments }: Tier, number: number, end: number): string[] {
  const intervals: { from: number; to: number; label: string }[] = []
  let at = 0
  for (const { phrase, onset, offset } of segments) {
    if (onset > at) intervals.push({ from: at, to: onset, label: '' })
    intervals.push({ from: onset, to: offset, label: oneLine(phrase) })
    at = offset
  }
  if (at < end) intervals.push({ from: at, to: end, label: '' })
  return [
    `    item [${number}]:`,
    '        class = "IntervalTier"',
    `        name = ${quoted(name)}`,
    '        xmin = 0',
    `        xmax = ${end}`,
    `        intervals: size = ${intervals.length}`,
    ...intervals.flatMap(({ from, to, label }, i) => [
      `        intervals [${i + 1}]:`,
      `            xmin = ${from}`,
      `            xmax = ${to}`,
      `            text = ${quoted(label)}`,
    ]),
  ]
}

function quoted(label: string): string {
  return `"${label.replaceAll('"', '""')}"`
}

/**
 * Praat reads of a text file the strings, the numbers and the flags that stand free; all else is comment. So the long and the short form
 * are one.
 */
class Tokens {
  readonly #text: string
  readonly #file: string
  readonly #pattern = /"((?:[^"]|"")*)"|"|![^\n]*|(<exists>|<absent>)|([^\s"]+)/y
  #line = 1

  constructor(text: string, file: string) {
    this.#text = text
    this.#file = file
  }

  get place(): string {
    return `${this.#file}:${this.#line}`
  }

  text(): string {
    return this.#next('a string', ({ 1: text }) => text?.replaceAll('""', '"'))
  }

  expectText(want: string): void {
    const got = this.text()
    if (got !== want) throw this.#wrong(`"${want}"`, `"${got.slice(0, 40)}"`)
  }

  flag(): boolean {
    return this.#next('<exists> or <absent>', ({ 2: flag }) =>
      flag === undefined ? undefined : flag === '<exists>',
    )
  }

  number(): number {
    return this.#next('a number', ({ 3: word }) =>
      word !== undefined && isNumber(word) ? Number(word) : undefined,
    )
  }

  /** How many of something follow: not more than there are characters left for. */
  count(): number {
    const count = this.number()
    const left = this.#text.length - this.#pattern.lastIndex
    if (Number.isSafeInteger(count) && count >= 0 && count <= left) return count
    throw this.#wrong(`a count of at most ${left}`, String(count))
  }

  #next<T>(what: string, of: (match: RegExpExecArray) => T | undefined): T {
    for (;;) {
      this.#skipBlanks()
      const match = this.#pattern.exec(this.#text)
      if (match === null) throw this.#wrong(what, 'the end of the file')
      if (match[0] === '"') throw this.#wrong('a string that ends', 'the end of the file')
      const value = of(match)
      this.#countLines(match[0])
      if (value !== undefined) return value
      // A free word is comment; a value of another kind is out of place.
      const isValue = match[1] !== undefined || match[2] !== undefined || isNumber(match[3] ?? '')
      if (isValue) throw this.#wrong(what, match[0].slice(0, 40))
    }
  }

  #skipBlanks(): void {
    let at = this.#pattern.lastIndex
    while (at < this.#text.length && /\s/.test(this.#text[at]!)) if (this.#text[at++] === '\n') this.#line++
    this.#pattern.lastIndex = at
  }

  #countLines(token: string): void {
    for (let i = token.indexOf('\n'); i >= 0; i = token.indexOf('\n', i + 1)) this.#line++
  }

  #wrong(expected: string, got: string): SonotextError {
    return new SonotextError('INVALID_FILE', `expected ${expected}, got ${got}.`, {
      file: this.place,
      remedy: 'Check that this is a TextGrid that Praat saved as text.',
    })
  }
}

function isNumber(word: string): boolean {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(word)
}
