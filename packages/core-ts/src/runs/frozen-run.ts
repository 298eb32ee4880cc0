import type { DecodePolicy } from '../audio/index.js'
import type { Backend } from '../backend/port.js'
import { SonotextError } from '../base/errors.js'
import { featureKinds } from '../corpus/index.js'
import { isGiven } from '../audio/index.js'
import { buildModel } from './build.js'
import type { RunConfig } from './config.js'
import { corpusOf, decodePolicyOf, type FeatureConfig } from './prepare.js'
import type { OpenRun } from './run-folder.js'

/** Options of {@link frozenRun}. */
export interface FrozenRunOptions {
  backend: Backend
  /** Which recordings are read, and by whom, where it is not as the configuration says. */
  decode?: DecodePolicy
  /** What messages call the configuration. */
  file?: string
}

/**
 * A configuration whose parts are all pretrained, such as the two sides of a CLAP model, as if it were a run: to search, embed, evaluate and
 * classify without training.
 * @throws SonotextError INVALID_CONFIG for parts that are to be trained; what opening the models throws
 */
export async function frozenRun(config: RunConfig, options: FrozenRunOptions): Promise<OpenRun> {
  const { backend, file } = options
  const kind = await featureKinds.build(config.features)
  const pins = isGiven(kind) ? undefined : kind.pins
  const features = { ...config.features, ...pins } as FeatureConfig
  const model = await buildModel(config, [], { backend, bands: kind.cols, pins })
  const trained = [...model.parameters().keys()]
  if (trained.length > 0) {
    throw new SonotextError(
      'INVALID_CONFIG',
      `Expected parts that need no training, got ${trained.slice(0, 3).join(', ')}${trained.length > 3 ? ' …' : ''}.`,
      {
        ...(file !== undefined && { file }),
        remedy:
          'Train it first: sonotext train. Without training go audio: frozen and a text encoder without project.',
      },
    )
  }
  const decode = { ...decodePolicyOf(config), ...options.decode }
  return {
    folder: file ?? '',
    config,
    model,
    features,
    decode,
    corpus: (own = {}) => corpusOf(features, { backend, decode, ...own }),
  }
}
