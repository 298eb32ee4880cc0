import { stderr, stdout } from 'node:process'

export interface TerminalOptions {
  /** stdout carries one JSON document and nothing else. */
  json: boolean
  /** No progress and no notes. */
  quiet: boolean
}

/**
 * Where a command's words go: results on stdout, everything else on stderr. With `json` the result is the one JSON object
 * given to {@link result}; without, human text.
 */
export class Terminal {
  readonly options: TerminalOptions
  #progress: Progress | null = null

  constructor(options: TerminalOptions) {
    this.options = options
  }

  /** A line for the person watching; never on stdout. */
  note(line: string): void {
    if (this.options.quiet) return
    this.#progress?.clear()
    stderr.write(`${line}\n`)
    this.#progress?.draw()
  }

  warn(line: string): void {
    this.#progress?.clear()
    stderr.write(`warning: ${line}\n`)
    this.#progress?.draw()
  }

  /** The command's result: `value` as JSON with --json, otherwise the text that `human` makes of it. */
  result<T>(value: T, human: (value: T) => string): void {
    stdout.write(this.options.json ? `${JSON.stringify(value, null, 2)}\n` : `${human(value)}\n`)
  }

  /** A bar with rate and time left on a terminal, a plain line now and then elsewhere. */
  progress(label: string, total: number, unit = 'items', start = 0): Progress {
    this.#progress?.finish()
    this.#progress = new Progress({ label, total, unit, start }, this.options.quiet, () => {
      this.#progress = null
    })
    return this.#progress
  }

  /** Ends an open progress bar, for example before an error message. */
  settle(): void {
    this.#progress?.finish()
  }
}

const barWidth = 24
const redrawEvery = 100
const plainLineEvery = 10_000

interface ProgressOf {
  label: string
  total: number
  unit: string
  /** Units done before, which say nothing about the rate. */
  start: number
}

export class Progress {
  readonly #what: ProgressOf
  readonly #quiet: boolean
  readonly #onFinish: () => void
  readonly #start = Date.now()
  #last = 0
  #done = 0
  #note = ''

  constructor(what: ProgressOf, quiet: boolean, onFinish: () => void) {
    this.#what = what
    this.#done = what.start
    this.#quiet = quiet
    this.#onFinish = onFinish
  }

  update(done: number, note = ''): void {
    this.#done = done
    this.#note = note
    const now = Date.now()
    if (now - this.#last < (stderr.isTTY ? redrawEvery : plainLineEvery) && done < this.#what.total) return
    this.#last = now
    this.draw()
  }

  draw(): void {
    if (this.#quiet) return
    if (stderr.isTTY) stderr.write(`\r\u001b[2K${this.#line()}`)
    else stderr.write(`${this.#line()}\n`)
  }

  clear(): void {
    if (!this.#quiet && stderr.isTTY) stderr.write('\r\u001b[2K')
  }

  finish(): void {
    if (!this.#quiet && stderr.isTTY && this.#done > 0) stderr.write('\n')
    this.#onFinish()
  }

  #line(): string {
    const { label, total, unit, start } = this.#what
    const seconds = (Date.now() - this.#start) / 1000
    const rate = seconds > 0 ? (this.#done - start) / seconds : 0
    const share = total > 0 ? Math.min(1, this.#done / total) : 1
    const filled = Math.round(share * barWidth)
    const left = rate > 0 && this.#done < total ? ` · ${duration((total - this.#done) / rate)} left` : ''
    const bar = stderr.isTTY ? ` [${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}]` : ''
    const note = this.#note === '' ? '' : ` · ${this.#note}`
    return `${label}${bar} ${this.#done}/${total} ${unit} · ${rate.toFixed(rate < 10 ? 1 : 0)}/s${left}${note}`
  }
}

/** 75 → "1 min 15 s". */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.round(seconds - minutes * 60)} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Aligned columns: first column left, the others right; the first row is the header, underlined. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  )
  lines.splice(1, 0, widths.map((width) => '─'.repeat(width)).join('  '))
  return lines.join('\n')
}
