import { isAbsolute, relative } from 'node:path'
import type { LogMelPreset } from '@sonotext/core/audio'
import { readManifest, splitsOf } from '@sonotext/core/data'
import { readRunConfig, trainRun, type TrainRunResult } from '@sonotext/core/runs'
import { backendOf, type BackendOptions } from '../backend-option.js'
import type { CommandBody } from '../command.js'
import { changeConfig, loadConfig } from '../config-file.js'
import { warnOfEmptyBands } from '../empty-bands.js'
import { exitCode, UsageError } from '../exit.js'
import { plural } from '../plural.js'
import { pathArgument, shellLine } from '../shell-line.js'
import { TrainingProgress } from '../training-progress.js'

interface TrainOptions extends BackendOptions {
  plugin: string[]
  config?: string
  set: string[]
  run: string
  resume?: boolean
}

/** Trains as a configuration says; Ctrl-C leaves a run that --resume continues bit for bit. */
const train: CommandBody<TrainOptions> = async ({ terminal, signal }, options) => {
  const { run: folder, resume = false } = options
  if (folder.trim() === '') throw new UsageError('Give the folder of the run: --run DIR.')
  const config =
    resume && options.config === undefined
      ? changeConfig(await readRunConfig(folder), options.set)
      : await loadConfig(options.config, options.set)
  const backend = backendOf(options, terminal)
  const { device, isa, threads } = backend.info
  terminal.note(
    `training on ${device}${isa === null ? '' : ` (${isa})`}, ${plural(threads, 'thread')} → ${folder}`,
  )
  const { preset, sampleRate } = config.features
  if (config.features.type === 'log-mel' && typeof sampleRate === 'number')
    warnOfEmptyBands(terminal, preset as LogMelPreset, [sampleRate])
  const progress = new TrainingProgress(terminal)
  const plugins = [...config.plugins, ...options.plugin]
  try {
    const result = await trainRun(config, {
      folder,
      backend,
      resume,
      signal,
      onFeatures: (done, total) => progress.features(done, total),
      onSetAside: (clips) => progress.setAside(clips),
      onNote: (note) => terminal.warn(note),
      onReport: (report, trainer) => progress.report(report, trainer.totalSteps),
    })
    progress.finish()
    const splits = splitsOf((await readManifest(config.data.manifest, { signal })).clips)
    const order = ['test', config.data.validationSplit ?? 'validation', ...splits]
    const held = order.find((split) => splits.includes(split))
    terminal.result(result, (done) => summary(done, held, plugins))
    return exitCode.ok
  } catch (error) {
    progress.finish()
    if (signal.aborted)
      terminal.note(
        `stopped; go on with: ${shellLine('sonotext', 'train', '--run', pathArgument(folder), '--resume', ...pluginOptions(plugins))}`,
      )
    throw error
  }
}
export default train

/** `held` is a split to evaluate on: test where there is one, else what was kept for validation, or whatever there is. */
function summary(result: TrainRunResult, held: string | undefined, plugins: readonly string[]): string {
  const { folder, steps, epochs, best, trainClips, validationClips, quarantined } = result
  const clips = [
    `${validationClips} for validation`,
    ...(quarantined > 0 ? [`${quarantined} set aside`] : []),
  ]
  return [
    `${plural(steps, 'step')}, ${plural(epochs, 'epoch')} on ${plural(trainClips, 'clip')} (${clips.join(', ')})`,
    ...(best === null ? [] : [`best epoch ${best.epoch}: ${best.monitor} ${best.metric.toFixed(4)}`]),
    `run: ${folder}`,
    `next: ${evaluateLine(folder, held, plugins)}`,
  ].join('\n')
}

function evaluateLine(folder: string, held: string | undefined, plugins: readonly string[]): string {
  const named = held === 'test' || held === undefined ? [] : ['--split', held]
  return shellLine('sonotext', 'evaluate', pathArgument(folder), ...named, ...pluginOptions(plugins))
}

/** A run names its plugins, but a command loads only those that it is given. */
function pluginOptions(plugins: readonly string[]): string[] {
  const shown = new Set(plugins.map((plugin) => (isAbsolute(plugin) ? relative('.', plugin) : plugin)))
  return [...shown].flatMap((plugin) => ['--plugin', pathArgument(plugin)])
}
