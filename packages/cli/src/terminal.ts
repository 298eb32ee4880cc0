import process from 'node:process'
import { isStandardOutput } from '@sonotext/core/base'
import { Progress, type ProgressStream } from './progress.js'

export interface TerminalOptions {
  /** stdout carries one JSON document and nothing else. */
  json: boolean
  /** No progress and no notes. */
  quiet: boolean
}

/** Where words go; the process's own streams, or stand-ins. */
export interface TerminalStreams {
  readonly stdout: { write(text: string): unknown }
  readonly stderr: ProgressStream
}

/**
 * Where a command's words go: results on stdout, everything else on stderr. With `json` the result is the one JSON document
 * given to {@link result}; without, human text.
 */
export class Terminal {
  readonly options: TerminalOptions
  readonly #streams: TerminalStreams
  #progress: Progress | null = null

  constructor(options: TerminalOptions, streams: TerminalStreams = process) {
    this.options = options
    this.#streams = streams
  }

  /** A line for the person watching; never on stdout. */
  note(line: string): void {
    if (!this.options.quiet) this.#say(line)
  }

  /** A line that --quiet does not hide. */
  warn(line: string): void {
    this.#say(`warning: ${line}`)
  }

  /** The last line of a command that failed. */
  error(line: string): void {
    this.settle()
    this.#say(line)
  }

  /**
   * The command's result: `value` as JSON with --json, otherwise the text that `human` makes of it. Where the file that was written, `out`,
   * is standard output, the result goes to stderr: the two must not mix.
   */
  result<T>(value: T, human: (value: T) => string, out?: string): void {
    const text = this.options.json ? JSON.stringify(value, null, 2) : human(value)
    if (out !== undefined && isStandardOutput(out)) {
      this.note(text)
      return
    }
    this.#streams.stdout.write(`${this.options.json ? text : visible(text)}\n`)
  }

  /** A bar with rate and time left on a terminal, a plain line now and then elsewhere, nothing with --quiet. */
  progress(label: string, total: number, unit = 'items', start = 0): Progress {
    this.settle()
    const stream = this.options.quiet ? silent : this.#streams.stderr
    const progress = new Progress(stream, {
      label,
      total,
      unit,
      start,
      onFinish: () => this.#forget(progress),
    })
    return (this.#progress = progress)
  }

  /** Ends an open progress bar, for example before an error message. */
  settle(): void {
    this.#progress?.finish()
  }

  #say(line: string): void {
    this.#progress?.clear()
    this.#streams.stderr.write(`${visible(line)}\n`)
    this.#progress?.restore()
  }

  #forget(progress: Progress): void {
    if (this.#progress === progress) this.#progress = null
  }
}

/** Control characters of captions, names and files as they are written in JSON: a terminal would obey them. Lines and tabs stay. */
function visible(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, (mark) => {
    return `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

const silent: ProgressStream = { write: () => true }
