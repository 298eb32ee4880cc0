import { checkOptions, type Rng } from '@sonotext/core/base'
import { crest, level } from './activity.js'
import { arrange, type GroupSounds, leastEpisode } from './arrange.js'
import type { SoundBank } from './bank.js'
import { captionScene, type SceneCaption } from './grammar.js'
import { mixLayers, peakLimitDb, type Layer } from './mix.js'
import type { SceneDescription } from './scene-description.js'
import type { ResolvedSceneOptions } from './sketch.js'

/** A sound in a finished scene. */
export interface SceneEvent {
  readonly label: string
  /** Seconds from the start of the scene. */
  readonly onset: number
  readonly offset: number
  /** Root mean square of the event within the scene, dB relative to full scale. */
  readonly level: number
  /** The recording it is from. */
  readonly source: string
  readonly background: boolean
}

export interface Scene {
  readonly description: SceneDescription
  readonly captions: readonly SceneCaption[]
  /** The background first, then by onset. */
  readonly events: readonly SceneEvent[]
  readonly samples: Float32Array
  /** What each event adds, in the order of `events`: from its onset, at its level. */
  readonly layers: readonly Float32Array[]
  readonly sampleRate: number
}

export interface MakeSceneOptions extends ResolvedSceneOptions {
  readonly split: string
  readonly rng: Rng
  readonly signal?: AbortSignal
}

/** Level of a background, dB relative to full scale; where there is none, events are set against this level all the same. */
const groundLevel = [-38, -32] as const

/** Picks the sounds of a sketched scene, arranges and mixes them, and describes what came out. */
export async function makeScene(
  bank: SoundBank,
  sketch: SceneDescription,
  options: MakeSceneOptions,
): Promise<Scene> {
  checkOptions(options, 'makeScene')
  const { rng, sampleRate, split, signal } = options
  const count = Math.round(options.duration * sampleRate)
  const levels = rng.fork('levels')
  const ground = levels.between(...groundLevel)
  const common = { split, sampleRate, ...(signal && { signal }) }

  const layers: Layer[] = []
  if (sketch.background !== null) {
    const request = {
      ...common,
      rng: rng.fork('background'),
      as: 'texture',
      seconds: options.duration,
    } as const
    const { label, source, takes } = await bank.pick(sketch.background, request)
    layers.push({ label, source, samples: takes[0]!, at: 0, level: ground, background: true })
  }

  const sounds: GroupSounds[] = []
  for (const [i, { label, count }] of sketch.groups.entries()) {
    const stream = rng.fork(`group ${i}`)
    // Not so short that a clock might not tick in it.
    const seconds = Math.max(leastEpisode, stream.between(0.15, 0.4) * options.duration)
    const as = count === null ? 'episode' : 'occurrences'
    sounds.push(await bank.pick(label, { ...common, rng: stream, as, seconds, count: count ?? 1 }))
  }
  const arrangement = arrange(sounds, sketch.relations, count, sampleRate, rng.fork('arrange'))
  for (const { label, source, takes, at } of arrangement.groups) {
    // Clicks have high peaks: rather a softer one, within the range, than a whole scene turned down.
    const room = peakLimitDb - ground - Math.max(...takes.map(crest))
    const over = Math.max(options.gain[0], Math.min(room, levels.between(...options.gain)))
    for (const [t, samples] of takes.entries()) {
      layers.push({ label, source, samples, at: at[t]!, level: ground + over, background: false })
    }
  }

  const mix = mixLayers(layers, count, sampleRate, rng.fork('room'))
  const events = layers.map(({ label, source, at, background }, i): SceneEvent => {
    const sound = mix.layers[i]!
    return {
      label,
      source,
      background,
      onset: at / sampleRate,
      offset: (at + sound.length) / sampleRate,
      level: level(sound),
    }
  })
  const order = [...events.keys()].sort(
    (a, b) =>
      Number(events[b]!.background) - Number(events[a]!.background) || events[a]!.onset - events[b]!.onset,
  )
  const description: SceneDescription = {
    background: sketch.background,
    groups: arrangement.groups.map(({ label, counted, takes }) => ({
      label,
      count: counted ? takes.length : null,
    })),
    relations: arrangement.relations,
  }
  const lexeme = (label: string) => bank.lexeme(label)
  return {
    description,
    captions: captionScene(description, { rng: rng.fork('captions'), count: options.captions, lexeme }),
    events: order.map((i) => events[i]!),
    layers: order.map((i) => mix.layers[i]!),
    samples: mix.samples,
    sampleRate,
  }
}
