import type { TrainableModel } from './batch-source.js'
import type { ValidationOptions } from './options.js'
import { Validator, type ValidatorOptions } from './validation.js'
import { type CollapseOptions, CollapseMonitor, checkValidationLoss } from './watchdog.js'
import { valueOf, watchedNumber, type WatchedNumber } from './watched.js'

/** What one look at the validation batches gave. */
export interface Look {
  /** Everything computed, by name. */
  readonly values: Readonly<Record<string, number>>
  /** The number that tells the best epoch. */
  readonly monitored: number
  /** The number for schedule and stopper. */
  readonly watched: number
  readonly warnings: readonly string[]
}

/** The looks of a run at its validation batches: losses, measures, signs of collapse. */
export class Looks<M extends TrainableModel> implements Disposable {
  readonly monitor: WatchedNumber
  readonly watch: WatchedNumber
  readonly #model: M
  readonly #options: ValidationOptions<M>
  readonly #losses: ReadonlySet<string>
  readonly #validator: Validator
  readonly collapse: CollapseMonitor

  constructor(
    model: M,
    options: ValidationOptions<M>,
    run: Pick<ValidatorOptions, 'objective' | 'guards' | 'seed'> & { readonly collapse: CollapseOptions },
  ) {
    const { data, yardsticks = {}, monitor = 'loss', watch = monitor } = options
    const { collapse, ...rest } = run
    this.#model = model
    this.#options = options
    this.#losses = new Set(['loss', ...Object.keys(yardsticks)])
    this.monitor = watchedNumber(monitor, this.#losses)
    this.watch = watchedNumber(watch, this.#losses)
    this.#validator = new Validator({ model, data, yardsticks, ...rest })
    this.collapse = new CollapseMonitor({ ...collapse, easier: run.objective.loss.easier })
  }

  /** Epoch 0 is the untrained model. */
  async look(at: { step: number; epoch: number; signal?: AbortSignal }): Promise<Look> {
    const abortable = at.signal === undefined ? {} : { signal: at.signal }
    const result = await this.#validator.look(at)
    checkValidationLoss(result.loss, at)
    const measured = (await this.#options.measure?.(this.#model, abortable)) ?? {}
    const numbers = { loss: result.loss, ...result.yardsticks, ...measured }
    const signs = { ...result.signs, quality: this.#quality({ ...result.yardsticks, ...measured }) }
    if (at.epoch === 0) this.collapse.start(signs)
    const report = at.epoch === 0 ? null : this.collapse.epochEnd(signs)
    const values = { ...numbers, ...report?.values }
    return {
      values,
      monitored: valueOf(this.monitor, values, 'validation.monitor'),
      watched: valueOf(this.watch, values, 'validation.watch'),
      warnings: report?.warnings ?? [],
    }
  }

  [Symbol.dispose](): void {
    this.#validator[Symbol.dispose]()
  }

  /** The higher the better. */
  #quality(numbers: Readonly<Record<string, number>>): Record<string, number> {
    return Object.fromEntries(
      Object.entries(numbers).flatMap(([name, value]) => {
        if (Number.isNaN(value)) return []
        const { mode } = watchedNumber(name, this.#losses)
        return [[name, mode === 'max' ? value : -value]]
      }),
    )
  }
}
