import { createHash } from 'node:crypto'
import { expected, SonotextError } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import {
  type AudioFeatures,
  type FeatureKind,
  fromOrigin,
  isGiven,
  type Origin,
  type Plain,
} from './feature-kind.js'
import { type Pooling, poolings } from './pooled-rows.js'
import { Listener, sideBySide } from './side-by-side.js'

/** Options of {@link concatenatedFeatures}. */
export interface ConcatenatedFeaturesOptions {
  /** What hears a clip: one kind or more that are made of sound, all with one vector for a clip, or all with frames. */
  readonly kinds: readonly FeatureKind[]
  /** What is taken of the frames of each kind that has frames, side by side, as its one vector. Default none: frames stay frames. */
  readonly pool?: readonly Pooling[]
}

/** Part of the id: changed when the same kinds would give other numbers. */
const VERSION = 'concatenated features 1'

/**
 * Several kinds of features of the same sound side by side, such as the vectors of two pretrained models: a clip is decoded once. Kinds with one
 * vector for a clip give one vector together. Kinds with frames give frames at the times of the first, with those of the others that are
 * nearest: what differs by less than half a step is taken for the same time.
 * @throws SonotextError INVALID_ARGUMENT for no kind, features that were made elsewhere, or vectors of whole clips beside frames
 */
export function concatenatedFeatures(options: ConcatenatedFeaturesOptions): AudioFeatures {
  const { kinds: given, pool = [] } = checkOptions(options, 'concatenatedFeatures')
  if (!Array.isArray(given) || given.length === 0)
    throw expected('one kind of features or more', 'kinds', given)
  const strange = pool.find((name) => !poolings.includes(name))
  if (strange !== undefined) throw expected(`one of ${poolings.join(', ')}`, 'pool', strange)
  const kinds = given.map(madeOfSound)
  const poolOf = ({ wholeClip = false }: AudioFeatures) => (wholeClip ? [] : pool)
  const ofClips = kinds.map((kind) => kind.wholeClip === true || pool.length > 0)
  refuseMixed(kinds, ofClips)
  const spec = JSON.stringify([VERSION, kinds.map(({ id }) => id), pool])
  const [first] = kinds
  const origins = kinds.map(({ origin }) => origin)
  return {
    name: 'concatenated',
    config: {
      kinds: kinds.map(({ name, config }) => ({ name, config })),
      ...(pool.length > 0 && { pool }),
    },
    id: `concatenated-${createHash('sha256').update(spec).digest('hex').slice(0, 16)}`,
    cols: kinds.reduce((sum, kind) => sum + kind.cols * Math.max(1, poolOf(kind).length), 0),
    ...(ofClips[0]! ? { wholeClip: true } : first!.lead !== undefined && { lead: first!.lead }),
    compute(audio, computing) {
      const listeners = kinds.map((kind) => new Listener(kind, audio.sampleRate, poolOf(kind), computing))
      // Kinds from elsewhere may not say that they give one vector.
      refuseMixed(
        kinds,
        listeners.map(({ frameStep }) => frameStep === 0),
      )
      return { frameStep: listeners[0]!.frameStep, blocks: sideBySide(audio, listeners) }
    },
    ...(origins.every((origin) => origin !== undefined) && {
      origin: {
        module: import.meta.url,
        export: 'concatenatedAgain',
        argument: { kinds: origins as unknown as Plain, pool },
      },
    }),
  }
}

/** The same in a worker thread, from where its kinds come from. */
export async function concatenatedAgain(argument: {
  readonly kinds: readonly Origin[]
  readonly pool: readonly Pooling[]
}): Promise<AudioFeatures> {
  const kinds = await Promise.all(argument.kinds.map((origin) => fromOrigin<AudioFeatures>(origin)))
  return concatenatedFeatures({ ...argument, kinds })
}

function madeOfSound(kind: FeatureKind): AudioFeatures {
  if (!isGiven(kind)) return kind
  throw expected('kinds that are made of sound', 'kinds', kind.name, {
    remedy: 'Put vectors that were made elsewhere side by side where they are made, in one file.',
  })
}

function refuseMixed(kinds: readonly AudioFeatures[], ofClips: readonly boolean[]): void {
  if (new Set(ofClips).size < 2) return
  const got = kinds.map(({ name }, i) => `${name} with ${ofClips[i]! ? 'one vector a clip' : 'frames'}`)
  throw new SonotextError(
    'INVALID_ARGUMENT',
    `Expected kinds that all give one vector a clip, or all frames, to be concatenated, got ${got.join(', ')}.`,
    {
      remedy:
        'Name statistics over the frames beside the kinds (pool: [mean, std]), or leave pool out of the others.',
    },
  )
}
