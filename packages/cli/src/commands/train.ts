import { availableParallelism } from 'node:os'
import { isAbsolute, relative } from 'node:path'
import process from 'node:process'
import type { LogMelPreset } from '@sonotext/core/audio'
import { type Backend, machineReport } from '@sonotext/core/backend'
import {
  type Comm,
  launchRanks,
  ncclComm,
  openComm,
  type Place,
  placeFromEnvironment,
} from '@sonotext/core/comm'
import { readManifest, splitsOf } from '@sonotext/core/data'
import { readRunConfig, type RunConfig, trainRun, type TrainRunResult } from '@sonotext/core/runs'
import { backendOf, type BackendOptions, openNamed } from '../backend-option.js'
import type { CommandBody, CommandContext } from '../command.js'
import { changeConfig, loadConfig } from '../config-file.js'
import { warnOfEmptyBands } from '../empty-bands.js'
import { exitCode, UsageError } from '../exit.js'
import { plural } from '../plural.js'
import { pathArgument, shellLine } from '../shell-line.js'
import { Terminal } from '../terminal.js'
import { TrainingProgress } from '../training-progress.js'

interface TrainOptions extends BackendOptions {
  plugin: string[]
  config?: string
  set: string[]
  run: string
  resume?: boolean
  ranks?: number
}

/**
 * Trains as a configuration says; Ctrl-C leaves a run that --resume continues bit for bit. With --ranks, or started by mpirun, processes share
 * every batch: rank 0 says what happens, the others only what goes wrong.
 */
const train: CommandBody<TrainOptions> = async (context, options) => {
  const { run: folder, ranks = 1 } = options
  if (folder.trim() === '') throw new UsageError('Give the folder of the run: --run DIR.')
  const place = placeFromEnvironment()
  if (place === null && ranks > 1) return await launch(context, options, ranks)
  if (place !== null && ![undefined, place.size].includes(options.ranks)) {
    throw new UsageError(
      `${place.launcher} has started ${place.size} processes, and --ranks asks for ${ranks}: leave it out.`,
    )
  }
  let comm = await openComm()
  try {
    const { terminal } = context
    const config = await configOf(options)
    const device = deviceOf(options.device, place)
    const own = { ...options, ...(device !== undefined && { device }) }
    const backend = comm.rank === 0 ? backendOf(own, terminal) : openNamed(own, () => {})
    comm = ncclComm(comm, backend, { onFallback: (message) => terminal.warn(message) })
    const code = await trainRank(context, options, { config, backend, comm })
    await comm.close()
    return code
  } catch (error) {
    await comm.close(error)
    throw error
  }
}
export default train

/** A run that goes on has its own. */
async function configOf({ run: folder, resume = false, config, set }: TrainOptions): Promise<RunConfig> {
  return resume && config === undefined
    ? changeConfig(await readRunConfig(folder), set)
    : await loadConfig(config, set)
}

/** Each rank of a machine takes one of its GPUs; where there are fewer, some share one. */
function deviceOf(device: string | undefined, place: Place | null): string | undefined {
  if (device !== 'cuda' || place === null) return device
  const gpus = machineReport().devices.filter(({ name }) => name.startsWith('cuda:')).length
  return `cuda:${(place.localRank ?? 0) % Math.max(1, gpus)}`
}

/** Starts this command again for every rank, with its share of the processors. */
async function launch(
  { terminal, signal }: CommandContext,
  options: TrainOptions,
  ranks: number,
): Promise<number> {
  const share = String(Math.max(1, Math.floor(availableParallelism() / ranks)))
  const args = [...process.execArgv, ...process.argv.slice(1)]
  return await launchRanks({
    ranks,
    args: options.threads === undefined ? [...args, '--threads', share] : args,
    onLine: (rank, line) => terminal.error(`[rank ${rank}] ${line}`),
    signal,
  })
}

async function trainRank(
  { terminal: shared, signal }: CommandContext,
  options: TrainOptions,
  { config, backend, comm }: { config: RunConfig; backend: Backend; comm: Comm },
): Promise<number> {
  const { run: folder, resume = false } = options
  const leads = comm.rank === 0
  const terminal = leads ? shared : new Terminal({ json: false, quiet: true })
  const { device, isa, threads } = backend.info
  const joined = comm.link === undefined ? '' : ' joined by NCCL'
  const where = device.startsWith('cuda') ? 'the first on' : 'each on'
  const shares = comm.size === 1 ? '' : `${comm.size} ranks${joined}, ${where} `
  terminal.note(
    `training on ${shares}${device}${isa === null ? '' : ` (${isa})`}, ${plural(threads, 'thread')} → ${folder}`,
  )
  const { preset, sampleRate } = config.features
  if (leads && config.features.type === 'log-mel' && typeof sampleRate === 'number')
    warnOfEmptyBands(terminal, preset as LogMelPreset, [sampleRate])
  const progress = new TrainingProgress(terminal)
  const plugins = [...config.plugins, ...options.plugin]
  const matmul = options.matmul === undefined ? [] : ['--matmul', options.matmul]
  try {
    const result = await trainRun(config, {
      folder,
      backend,
      resume,
      signal,
      comm,
      ...(leads && {
        onFeatures: (done, total) => progress.features(done, total),
        onSetAside: (clips) => progress.setAside(clips),
        onNote: (note) => terminal.warn(note),
        onReport: (report, trainer) => progress.report(report, trainer.totalSteps),
      }),
    })
    progress.finish()
    if (!leads) return exitCode.ok
    const splits = splitsOf((await readManifest(config.data.manifest, { signal })).clips)
    const order = ['test', config.data.validationSplit ?? 'validation', ...splits]
    const held = order.find((split) => splits.includes(split))
    terminal.result(result, (done) => summary(done, held, plugins))
    return exitCode.ok
  } catch (error) {
    progress.finish()
    if (signal.aborted)
      terminal.note(
        `stopped; go on with: ${shellLine('sonotext', 'train', '--run', pathArgument(folder), '--resume', ...matmul, ...pluginOptions(plugins))}`,
      )
    throw error
  }
}

/** `held` is a split to evaluate on: test where there is one, else what was kept for validation, or whatever there is. */
function summary(result: TrainRunResult, held: string | undefined, plugins: readonly string[]): string {
  const { folder, steps, epochs, best, trainClips, validationClips, quarantined } = result
  const clips = [
    `${validationClips} for validation`,
    ...(quarantined > 0 ? [`${quarantined} set aside`] : []),
  ]
  // With training.epochs 0 the model is what it begins as, which is computed from the clips.
  const done = epochs === 0 ? 'computed from' : `${plural(steps, 'step')}, ${plural(epochs, 'epoch')} on`
  return [
    `${done} ${plural(trainClips, 'clip')} (${clips.join(', ')})`,
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
