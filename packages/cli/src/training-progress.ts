import type { QuarantinedClip } from '@sonotext/core/data'
import type { EpochReport, StepReport, TrainingReport } from '@sonotext/core/train'
import type { Progress } from './progress.js'
import { warnOfSetAside } from './set-aside.js'
import type { Terminal } from './terminal.js'

/** Shows a training run: a bar of clips, then one of steps, a line for every epoch, warnings as they come. */
export class TrainingProgress {
  readonly #terminal: Terminal
  #bar: Progress | null = null
  #lossSum = 0
  #steps = 0

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  features(done: number, total: number): void {
    this.#bar ??= this.#terminal.progress('features', total, 'clips')
    this.#bar.update(done)
    if (done === total) this.finish()
  }

  setAside(clips: readonly QuarantinedClip[]): void {
    warnOfSetAside(this.#terminal, clips)
  }

  /** `totalSteps` of the whole run, those before it was resumed included. */
  report(report: TrainingReport, totalSteps: number): void {
    for (const warning of report.warnings) this.#terminal.warn(warning)
    if (report.kind === 'step') this.#step(report, totalSteps)
    else this.#epoch(report)
  }

  finish(): void {
    this.#bar?.finish()
    this.#bar = null
  }

  #step({ step, loss, epoch }: StepReport, totalSteps: number): void {
    this.#bar ??= this.#terminal.progress('train', totalSteps, 'steps', step - 1)
    if (loss !== null) {
      this.#lossSum += loss
      this.#steps++
    }
    const mean = this.#steps === 0 ? '' : `, loss ${(this.#lossSum / this.#steps).toFixed(4)}`
    this.#bar.update(step, `epoch ${Math.ceil(epoch)}${mean}`)
  }

  #epoch({ epoch, trainLoss, validation, best, stopped }: EpochReport): void {
    const parts = [epoch === 0 ? 'before training' : `epoch ${epoch}`]
    if (trainLoss !== null) parts.push(`loss ${trainLoss.toFixed(4)}`)
    if (validation['loss'] !== undefined) parts.push(`validation loss ${validation['loss'].toFixed(4)}`)
    for (const [name, toAudio] of Object.entries(validation)) {
      const measure = /^textToAudio\.(.+)$/.exec(name)?.[1]
      const toText = validation[`audioToText.${measure}`]
      if (measure === undefined || toText === undefined) continue
      parts.push(`${measure} ${toAudio.toFixed(3)} text→audio, ${toText.toFixed(3)} audio→text`)
    }
    if (best && epoch > 0) parts.push('best so far')
    this.#terminal.note(parts.join(' · '))
    if (stopped !== null) this.#terminal.note(stopped)
    this.#lossSum = 0
    this.#steps = 0
  }
}
