import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readManifest } from '@sonotext/core/data'
import { evaluateRun, openRun, searchRun, trainRun } from '@sonotext/core/runs'
import { type RunConfig, parseConfig } from '@sonotext/core/runs'
import { withoutPerQuery } from '@sonotext/core/metrics'
import { composeScenes } from '@sonotext/scenes'
import { backendOf, type BackendOptions } from '../backend-option.js'
import { type BankOptions, bankOf } from '../bank-option.js'
import type { CommandBody, CommandContext } from '../command.js'
import { duration } from '../duration.js'
import { evaluationTable, type ShownEvaluation } from '../evaluation-table.js'
import { exitCode } from '../exit.js'
import { type FoundClips, hitsText, toFound } from '../hits-text.js'
import { TrainingProgress } from '../training-progress.js'

interface DemoOptions extends BackendOptions, BankOptions {
  out: string
  seed: number
  epochs?: number
}

/** Scenes of the demo: enough to learn from in a few minutes on two cores. */
const scenes = { train: 640, validation: 60, test: 150 }
const sceneOptions = { duration: 10, sampleRate: 22_050 }
const defaultEpochs = 8
const measures = ['R@1', 'R@5', 'R@10', 'mAP@10', 'MRR', 'medR']

/** What worked best on composed scenes; see docs/results/real-scenes.md. */
function recipe(manifest: string, seed: number, epochs: number): RunConfig {
  return parseConfig({
    seed,
    data: { manifest },
    features: { preset: 'thesis', sampleRate: sceneOptions.sampleRate },
    model: { text: { type: 'mean-words', trainable: true }, similarity: 'pooled' },
    loss: { type: 'info-nce', learnable: true },
    schedule: 'cosine',
    training: { epochs },
    validation: { monitor: 'mAP@10' },
  })
}

/** The whole way: compose, train, evaluate, search. The same command again takes what is there. */
const demo: CommandBody<DemoOptions> = async (context, options) => {
  const { terminal, signal } = context
  const backend = backendOf(options, terminal)
  const [data, run] = [join(options.out, 'scenes'), join(options.out, 'run')]
  const started = performance.now()

  const { manifest } = await compose(context, options, data)
  const config = recipe(manifest, options.seed, options.epochs ?? defaultEpochs)
  const seconds = await train(context, config, { folder: run, backend })

  const opened = await openRun(run, { backend })
  terminal.note('evaluating on held-out scenes …')
  const evaluation = withoutPerQuery(await evaluateRun(opened, { split: 'test', measures, signal }))
  const queries = await exampleQueries(manifest)
  const searches = toFound(queries, await searchRun(opened, queries, { split: 'test', k: 3, signal }))

  const total = (performance.now() - started) / 1000
  terminal.result({ ...evaluation, run, trainingSeconds: Math.round(seconds), searches }, (result) =>
    text(result, searches, { run, total, seconds }),
  )
  return exitCode.ok
}
export default demo

async function compose(
  { terminal, signal }: CommandContext,
  options: DemoOptions,
  folder: string,
): Promise<{ manifest: string }> {
  const total = Object.values(scenes).reduce((sum, count) => sum + count, 0)
  const progress = terminal.progress('compose', total, 'scenes')
  const composition = await composeScenes(
    {
      bank: await bankOf(options),
      scenes,
      ...sceneOptions,
      seed: options.seed,
      signal,
      onProgress: ({ done }) => progress.update(done),
    },
    folder,
  )
  progress.finish()
  return composition
}

/** Seconds spent training; a run that was stopped goes on, one that is finished is taken as it is. */
async function train(
  { terminal, signal }: CommandContext,
  config: RunConfig,
  { folder, backend }: { folder: string; backend: ReturnType<typeof backendOf> },
): Promise<number> {
  const { device, isa, threads } = backend.info
  terminal.note(`training on ${device}${isa === null ? '' : ` (${isa})`} with ${threads} threads`)
  const progress = new TrainingProgress(terminal)
  let first: number | null = null
  await trainRun(config, {
    folder,
    backend,
    resume: existsSync(folder),
    signal,
    onFeatures: (done, total) => progress.features(done, total),
    onReport: (report, trainer) => {
      first ??= performance.now()
      progress.report(report, trainer.totalSteps)
    },
  })
  progress.finish()
  return first === null ? 0 : (performance.now() - first) / 1000
}

/** A caption of each of three held-out scenes. */
async function exampleQueries(manifest: string): Promise<string[]> {
  const { clips } = await readManifest(manifest)
  const held = clips.filter(({ split }) => split === 'test')
  return [0.2, 0.5, 0.8].map((share) => held[Math.floor(share * held.length)]!.captions[0]!.text)
}

function text(
  evaluation: ShownEvaluation,
  searches: readonly FoundClips[],
  { run, total, seconds }: { run: string; total: number; seconds: number },
): string {
  return [
    evaluationTable(evaluation),
    '',
    'Three sentences and what they find among the held-out scenes:',
    '',
    hitsText(searches),
    '',
    `trained for ${duration(seconds)}, ${duration(total)} in all; the run lies in ${run}`,
    `search it yourself: npx sonotext search ${run} "a dog barks twice while rain falls"`,
  ].join('\n')
}
