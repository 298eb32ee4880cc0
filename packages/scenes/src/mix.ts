import type { Rng } from '@sonotext/core/base'
import { level } from './activity.js'
import { fadeEnds, gain, mixInto, peakOf } from './synth/shapes.js'
import { Voice } from './synth/voice.js'

/** A sound placed in a scene. */
export interface Layer {
  readonly label: string
  readonly source: string
  readonly samples: Float32Array
  /** First sample in the scene. */
  readonly at: number
  /** Level wanted, in dB relative to full scale (root mean square over the samples). */
  readonly level: number
  /** Lies under the whole scene: faded longer. */
  readonly background: boolean
}

export interface Mix {
  readonly samples: Float32Array
  /** What each layer adds, in the order given: the mix is their sum and the room tone. */
  readonly layers: readonly Float32Array[]
  /** dB by which everything was lowered to keep the peak below full scale; 0 or negative. */
  readonly lowered: number
}

/** Highest peak of a scene, dB relative to full scale. */
export const peakLimitDb = -0.5
const peakLimit = 10 ** (peakLimitDb / 20)
/** Level of the noise under everything: no recording is digitally silent. */
const roomTone = -75

/** Adds layers at their levels. When the sum would pass full scale everything is lowered together, so that ratios stay. */
export function mixLayers(layers: readonly Layer[], count: number, sampleRate: number, rng: Rng): Mix {
  const rendered = layers.map(({ samples, at, level: wanted, background }) => {
    const sound = samples.slice(0, Math.max(0, count - at))
    const edge = Math.min(background ? 0.2 * sampleRate : 0.005 * sampleRate, sound.length / 4)
    fadeEnds(sound, edge, background ? edge : Math.min(0.02 * sampleRate, sound.length / 4))
    const now = level(sound)
    return { at, sound: Number.isFinite(now) ? gain(sound, 10 ** ((wanted - now) / 20)) : sound }
  })
  const samples = new Voice(rng, sampleRate).pink(count)
  gain(samples, 10 ** ((roomTone - level(samples)) / 20))
  for (const { at, sound } of rendered) mixInto(samples, sound, at)
  const peak = peakOf(samples)
  const factor = peak > peakLimit ? peakLimit / peak : 1
  gain(samples, factor)
  return {
    samples,
    layers: rendered.map(({ sound }) => gain(sound, factor)),
    lowered: 20 * Math.log10(factor),
  }
}

/** Exactly `count` samples of a recording: a random stretch, or repetitions that fade into each other with equal power. */
export function fillWith(samples: Float32Array, count: number, rng: Rng): Float32Array {
  if (samples.length >= count) {
    const begin = rng.int(samples.length - count + 1)
    return samples.slice(begin, begin + count)
  }
  const out = new Float32Array(count)
  const fade = Math.max(1, Math.floor(samples.length / 8))
  // The first repetition starts somewhere inside, so that scenes from one recording differ.
  const step = Math.max(1, samples.length - fade)
  for (let at = -rng.int(step); at < count; at += step) {
    const turn = samples.slice()
    for (let i = 0; i < fade; i++) {
      const angle = (Math.PI / 2) * ((i + 0.5) / fade)
      turn[i]! *= Math.sin(angle)
      turn[turn.length - 1 - i]! *= Math.sin(angle)
    }
    mixInto(out, turn, at)
  }
  return out
}
