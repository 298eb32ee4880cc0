import { bandpass, highpass, lowpass } from '../synth/filters.js'
import { fadeEnds, glide, lines, mixInto, shape, strike } from '../synth/shapes.js'
import { ring, saw } from '../synth/tones.js'
import type { ProceduralSound } from './sound.js'

/** A clock: tick and tock, a little different, one and a half to five times a second. */
const clockTick: ProceduralSound = {
  label: 'clock_tick',
  seconds: [2.5, 10],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const out = new Float32Array(n)
    const period = 1 / voice.octaves(1.5, 4.5)
    const case_ = voice.octaves(1700, 3400)
    const sounds = [1, voice.between(0.8, 0.95)].map((ratio) => {
      const m = voice.samples(0.06)
      const tick = ring(m, voice.sampleRate, [
        { frequency: case_ * ratio, gain: 1, decay: voice.between(0.012, 0.03) },
        { frequency: case_ * ratio * 1.73, gain: 0.6, decay: 0.012 },
        { frequency: case_ * ratio * 0.31, gain: 0.4, decay: 0.03 },
      ])
      const k = voice.samples(0.006)
      return mixInto(
        tick,
        shape(highpass(voice.white(k), voice.sampleRate, 2500), lines(k, [0, 1, 1, 0])),
        0,
        0.5,
      )
    })
    for (let at = voice.between(0.02, 0.06), i = 0; at < seconds - 0.05; at += period, i++) {
      mixInto(out, sounds[i % 2]!, at * voice.sampleRate, i % 2 === 0 ? 1 : 0.8)
    }
    return out
  },
}

/** A door on a dry hinge: stick and slip, faster and slower. */
const doorCreak: ProceduralSound = {
  label: 'door_wood_creaks',
  seconds: [0.9, 1.7],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const rate = voice.octaves(45, 110)
    const pitch = glide(n, [0, rate * 0.6, voice.between(0.3, 0.7), rate * voice.between(1.8, 2.8), 1, rate])
    const shake = voice.wander(n, 25)
    const slips = saw(
      pitch.map((f, i) => f * (1 + 0.15 * shake[i]!)),
      voice.sampleRate,
    )
    highpass(slips, voice.sampleRate, 700)
    const out = new Float32Array(n)
    for (const [f, q, level] of [
      [1150, 9, 1],
      [1900, 10, 0.9],
      [3000, 8, 0.5],
    ] as const) {
      mixInto(out, bandpass(slips.slice(), voice.sampleRate, voice.around(f, 0.2), q), 0, level)
    }
    return shape(out, lines(n, [0, 0, 0.15, 0.8, 0.5, 1, 0.85, 0.7, 1, 0]))
  },
}

/** A glass that falls and shatters. */
const glassBreaking: ProceduralSound = {
  label: 'glass_breaking',
  seconds: [0.8, 1.4],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const m = voice.samples(0.12)
    const out = new Float32Array(n)
    mixInto(
      out,
      shape(highpass(voice.white(m), voice.sampleRate, 1800), strike(m, voice.sampleRate, 0.001, 0.1)),
      0,
      0.9,
    )
    const shards = voice.integer(18, 34)
    for (let s = 0; s < shards; s++) {
      const f = voice.octaves(2300, 8000)
      const k = voice.samples(0.25)
      const shard = ring(k, voice.sampleRate, [
        { frequency: f, gain: 1, decay: voice.between(0.05, 0.22) },
        { frequency: f * 1.61, gain: 0.5, decay: 0.06 },
      ])
      const at = voice.rng.uniform() ** 2 * 0.75
      mixInto(out, shard, at * n, voice.octaves(0.08, 0.6) * (1 - at))
    }
    return fadeEnds(out, 0, n * 0.3)
  },
}

/** A hand saw: strokes to and fro through wood. */
const handSaw: ProceduralSound = {
  label: 'hand_saw',
  seconds: [2.2, 4],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const out = new Float32Array(n)
    const stroke = voice.between(0.3, 0.5)
    const teeth = voice.octaves(1500, 2600)
    for (let at = 0, i = 0; at + stroke < seconds; at += stroke * 1.08, i++) {
      const m = voice.samples(stroke)
      const rasp = bandpass(voice.white(m), voice.sampleRate, i % 2 === 0 ? teeth : teeth * 0.75, 1.4)
      const grain = saw(new Float32Array(m).fill(voice.between(90, 130)), voice.sampleRate).map(
        (s) => 0.6 + 0.4 * s,
      )
      shape(shape(rasp, grain), lines(m, [0, 0, 0.25, 1, 0.7, 0.8, 1, 0]))
      mixInto(out, rasp, at * voice.sampleRate, i % 2 === 0 ? 1 : 0.65)
    }
    return out
  },
}

/** A hammer on a nail: one stroke. */
const hammer: ProceduralSound = {
  label: 'hammer',
  seconds: [0.25, 0.45],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const steel = voice.octaves(1400, 2400)
    const out = ring(n, voice.sampleRate, [
      { frequency: steel, gain: 0.7, decay: voice.between(0.18, 0.35) },
      { frequency: steel * 2.27, gain: 0.5, decay: 0.2 },
      { frequency: steel * 3.44, gain: 0.3, decay: 0.1 },
      { frequency: voice.octaves(180, 280), gain: 1, decay: 0.06 },
    ])
    const m = voice.samples(0.02)
    mixInto(
      out,
      shape(lowpass(voice.white(m), voice.sampleRate, 6000), strike(m, voice.sampleRate, 0.0004, 0.015)),
      0,
      1,
    )
    return fadeEnds(out, 0, n * 0.25)
  },
}

export const household: readonly ProceduralSound[] = [clockTick, doorCreak, glassBreaking, handSaw, hammer]
