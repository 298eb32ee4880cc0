import { checkOptions, expected, nearest, Rng } from '@sonotext/core/base'
import { animals } from './sounds/animals.js'
import { household } from './sounds/household.js'
import { machines } from './sounds/machines.js'
import { people } from './sounds/people.js'
import { signals } from './sounds/signals.js'
import type { ProceduralSound } from './sounds/sound.js'
import { weather } from './sounds/weather.js'
import { highpass } from './synth/filters.js'
import { toPeak } from './synth/shapes.js'
import { Voice } from './synth/voice.js'

const sounds: ReadonlyMap<string, ProceduralSound> = new Map(
  [animals, weather, people, household, machines, signals].flat().map((sound) => [sound.label, sound]),
)

/** The classes that can be synthesised without any recording, in a fixed order. */
export const proceduralLabels: readonly string[] = [...sounds.keys()]

/** Options of {@link synthesize}. */
export interface SynthesizeOptions {
  /** Same seed, same samples; other seeds are other dogs, clocks and rains. */
  readonly seed: number
  /** Hz, from 8000; default 22050. */
  readonly sampleRate?: number
  /** Length in seconds; default: drawn from the class's own range. */
  readonly seconds?: number
}

/**
 * One exemplar of a class of {@link proceduralLabels}: mono samples, peak 0.7. Events end near silence; textures go on to the last
 * sample. Throws INVALID_ARGUMENT for an unknown label, with the nearest known one.
 */
export function synthesize(label: string, options: SynthesizeOptions): Float32Array {
  checkOptions(options, 'synthesize')
  return synthesizeWith(
    new Rng(options.seed, `sound/${label}`),
    label,
    options.sampleRate ?? 22_050,
    options.seconds,
  )
}

/** Shortest and longest natural length of a class, in seconds. */
export function soundSeconds(label: string): readonly [number, number] {
  return soundOf(label).seconds
}

/** {@link synthesize} from a given stream of random numbers. */
export function synthesizeWith(rng: Rng, label: string, sampleRate: number, seconds?: number): Float32Array {
  const sound = soundOf(label)
  if (!(sampleRate >= 8000 && sampleRate <= 384_000)) {
    throw expected('a rate from 8000 to 384000 Hz', 'sampleRate', sampleRate)
  }
  if (seconds !== undefined && !(seconds >= 0.05 && seconds <= 3600)) {
    throw expected('a length from 0.05 to 3600 seconds', 'seconds', seconds)
  }
  const voice = new Voice(rng, sampleRate)
  const length = seconds ?? voice.between(...sound.seconds)
  // Nothing below hearing: pulses and short noise bursts carry an offset of their own.
  return toPeak(highpass(sound.render(voice, length), sampleRate, 25), 0.7)
}

function soundOf(label: string): ProceduralSound {
  const sound = sounds.get(label)
  if (!sound) {
    const close = nearest(label, proceduralLabels)
    const remedy =
      close === undefined ? `There are: ${proceduralLabels.join(', ')}.` : `Did you mean "${close}"?`
    throw expected('a class of the procedural bank', 'label', label, { remedy })
  }
  return sound
}
