import type { Logger, LogRecord } from './loggers.js'

/** Where a run stands. */
interface Position {
  readonly step: number
  readonly epoch: number
}

/** The history of one run, in every logger it has. */
export class RunLog {
  readonly #loggers: readonly Logger[]
  readonly #at: Position
  #open = false

  /** `at` is asked with every record. */
  constructor(loggers: readonly Logger[], at: Position) {
    this.#loggers = loggers
    this.#at = at
  }

  /** Says how the run begins, once until {@link close}. */
  open(seed: number): void {
    if (this.#open) return
    this.#open = true
    const { step } = this.#at
    for (const logger of this.#loggers) logger.open(step)
    const message = `${step === 0 ? 'new run' : `resumed at step ${step}`}, seed ${seed}`
    this.write('start', {}, { message })
  }

  write(
    kind: LogRecord['kind'],
    values: Readonly<Record<string, number>>,
    more: Pick<LogRecord, 'message' | 'negatives'> = {},
  ): void {
    const { step, epoch } = this.#at
    for (const logger of this.#loggers) logger.write({ kind, step, epoch, values, ...more })
  }

  close(): void {
    for (const logger of this.#loggers) logger.close()
    this.#open = false
  }
}
