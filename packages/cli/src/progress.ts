import { duration } from './duration.js'

/** Where progress is shown; process.stderr, or a stand-in. */
export interface ProgressStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

export interface ProgressOptions {
  label: string
  total: number
  /** What is counted. Default items. */
  unit?: string
  /** Units done before, which say nothing about the rate. Default 0. */
  start?: number
  /** Milliseconds; default Date.now. */
  now?: () => number
  onFinish?: () => void
}

/** Characters of a bar: as many as the line leaves free, within these. */
const barWidth = [8, 24] as const
const redrawEvery = 100
const plainLineEvery = 10_000
const clearLine = '\r\u001b[2K'

/**
 * How far some work is: on a terminal one line with a bar, rate and time left, redrawn in place; elsewhere a plain line every
 * ten seconds and one at the end.
 */
export class Progress {
  readonly #stream: ProgressStream
  readonly #label: string
  readonly #total: number
  readonly #unit: string
  readonly #first: number
  readonly #now: () => number
  readonly #onFinish: (() => void) | undefined
  readonly #started: number
  #drawn: number
  #done: number
  #shown: number | null = null
  #note = ''

  constructor(stream: ProgressStream, options: ProgressOptions) {
    const { label, total, unit = 'items', start = 0, now = Date.now, onFinish } = options
    this.#stream = stream
    this.#label = label
    this.#total = total
    this.#unit = unit
    this.#first = this.#done = start
    this.#now = now
    this.#onFinish = onFinish
    this.#started = now()
    this.#drawn = stream.isTTY ? -Infinity : this.#started
  }

  /** `note` is a few words about the state of the work. */
  update(done: number, note = ''): void {
    this.#done = done
    this.#note = note
    const pause = this.#stream.isTTY ? redrawEvery : plainLineEvery
    if (this.#now() - this.#drawn >= pause) this.#draw()
  }

  /** Makes room for a line of another kind on a terminal; {@link restore} brings the bar back. */
  clear(): void {
    if (this.#stream.isTTY) this.#stream.write(clearLine)
  }

  restore(): void {
    if (this.#stream.isTTY && this.#shown !== null) this.#draw()
  }

  /** Shows where the work stands at its end. */
  finish(): void {
    if (this.#done > this.#first && (this.#stream.isTTY || this.#shown !== this.#done)) this.#draw()
    if (this.#stream.isTTY && this.#shown !== null) this.#stream.write('\n')
    this.#onFinish?.()
  }

  #draw(): void {
    this.#drawn = this.#now()
    this.#shown = this.#done
    if (!this.#stream.isTTY) this.#stream.write(`${this.#line('')}\n`)
    else {
      const room = (this.#stream.columns || 80) - 1
      const width = Math.max(barWidth[0], Math.min(barWidth[1], room - this.#line(' []').length))
      const filled = Math.round(this.#share * width)
      const line = this.#line(` [${'█'.repeat(filled)}${'░'.repeat(width - filled)}]`)
      // A line that wraps could not be redrawn in place.
      this.#stream.write(`${clearLine}${line.slice(0, room)}`)
    }
  }

  get #share(): number {
    return this.#total > 0 ? Math.min(1, this.#done / this.#total) : 1
  }

  #line(bar: string): string {
    const parts = [`${this.#label}${bar} ${this.#done}/${this.#total} ${this.#unit}`]
    const seconds = (this.#now() - this.#started) / 1000
    const rate = seconds > 0 ? (this.#done - this.#first) / seconds : 0
    if (rate > 0) {
      parts.push(rate < 0.5 ? `${(1 / rate).toFixed(1)} s each` : `${rate.toFixed(rate < 10 ? 1 : 0)}/s`)
      if (this.#done < this.#total) parts.push(`${duration((this.#total - this.#done) / rate)} left`)
    }
    if (this.#note !== '') parts.push(this.#note)
    return parts.join(' · ')
  }
}
