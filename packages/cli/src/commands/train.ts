import { readRunConfig, trainRun, type TrainRunResult } from '@sonotext/core/experiment'
import { backendOf, type BackendOptions } from '../backend-option.js'
import { loadConfig } from '../config-file.js'
import { exitCode, UsageError } from '../exit.js'
import type { CommandBody } from '../main.js'
import { TrainingProgress } from '../training-progress.js'

interface TrainOptions extends BackendOptions {
  config?: string
  set: string[]
  run?: string
  resume?: boolean
}

/** Trains as a configuration says; Ctrl-C leaves a run that --resume continues bit for bit. */
const train: CommandBody<TrainOptions> = async ({ terminal, signal }, options) => {
  const folder = options.run
  if (folder === undefined) throw new UsageError('Give the folder of the run: --run DIR.')
  const asBefore = options.resume === true && options.config === undefined && options.set.length === 0
  const config = asBefore ? await readRunConfig(folder) : await loadConfig(options.config, options.set)
  const backend = backendOf(options, terminal)
  terminal.note(
    `training on ${backend.info.device}${backend.info.isa === null ? '' : ` (${backend.info.isa})`}, ${backend.info.threads} threads → ${folder}`,
  )
  const progress = new TrainingProgress(terminal)
  try {
    const result = await trainRun(config, {
      folder,
      backend,
      resume: options.resume === true,
      signal,
      onFeatures: (done, total) => progress.features(done, total),
      onReport: (report, trainer) => progress.report(report, trainer.totalSteps),
    })
    progress.finish()
    terminal.result(result, summary)
    return exitCode.ok
  } catch (error) {
    progress.finish()
    if (signal.aborted) terminal.note(`stopped; go on with: sonotext train --run ${folder} --resume`)
    throw error
  }
}
export default train

function summary(result: TrainRunResult): string {
  const { folder, steps, epochs, best, trainClips, validationClips, quarantined } = result
  return [
    `${steps} steps, ${epochs} epochs on ${trainClips} clips (${validationClips} for validation${quarantined > 0 ? `, ${quarantined} set aside` : ''})`,
    ...(best === null ? [] : [`best epoch ${best.epoch}: ${best.metric.toFixed(4)}`]),
    `run: ${folder}`,
    `next: sonotext evaluate ${folder}`,
  ].join('\n')
}
