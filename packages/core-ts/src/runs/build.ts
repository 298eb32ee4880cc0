import { losses } from '../losses/index.js'
import { audioEncoders, type DualEncoder, dualEncoder, textEncoders } from '../models/index.js'
import { type Guard, guards } from '../negatives/index.js'
import type { Backend } from '../backend/port.js'
import type { Loss } from '../losses/index.js'
import { type BatchSource, type Objective, sources, type SourceSetting } from '../train/index.js'
import type { Json } from '../registry/index.js'
import { similarities } from '../similarity/index.js'
import type { RunConfig } from './config.js'

/** Options of {@link buildModel}. */
export interface BuildModelOptions {
  backend: Backend
  /** Numbers in one frame of the features. */
  bands: number
  /** Keys that hold the features to what they are now: see `AudioFeatures.pins`. */
  pins?: Readonly<Record<string, Json>> | undefined
  signal?: AbortSignal
}

/**
 * The untrained model of a configuration. What its text encoder learns before training comes from the tokens of the training captions. How
 * features are made is kept with the model, so that search computes the same ones.
 */
export async function buildModel(
  { model, features, seed }: RunConfig,
  captions: readonly (readonly string[])[],
  { backend, bands, pins, signal }: BuildModelOptions,
): Promise<DualEncoder> {
  const text = await textEncoders.build(model.text, { captions, seed, ...(signal && { signal }) })
  return dualEncoder({
    audio: audioEncoders.build(model.audio, { bands, dim: text.dim }),
    text,
    similarity: similarities.build(model.similarity),
    features: { ...features, ...pins } as unknown as Json,
    backend,
    seed,
  })
}

/** The guards of a configuration; some read files. */
export function buildGuards(config: RunConfig): Promise<Guard[]> {
  return Promise.all(config.guards.map((guard) => guards.build(guard)))
}

/** What a configuration trains for: its loss over `main`, and further objectives over the same batches or those of their own sources. */
export async function buildObjectives(
  config: RunConfig,
  main: BatchSource,
  setting: SourceSetting,
): Promise<[Objective, ...Objective[]]> {
  const further: Objective[] = []
  for (const { loss, weight, source, name } of config.objectives) {
    further.push({
      source: source === undefined ? main : await sources.build(source, setting),
      loss: losses.build(loss),
      weight,
      ...(name !== undefined && { name }),
    })
  }
  return [{ source: main, loss: losses.build(config.loss) }, ...further]
}

/** The yardsticks of a configuration by their names. */
export function buildYardsticks({ validation }: RunConfig): Record<string, Loss> {
  const built = validation.yardsticks.map((yardstick) => losses.build(yardstick))
  return Object.fromEntries(built.map((loss) => [loss.name, loss]))
}
