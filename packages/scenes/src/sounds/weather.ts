import { bandpass, highpass, lowpass, sweptBandpass } from '../synth/filters.js'
import { fadeEnds, gain, glide, lines, mixInto, shape, strike } from '../synth/shapes.js'
import { ring, sine } from '../synth/tones.js'
import type { ProceduralSound } from './sound.js'

/** Rain: a steady hiss of far drops and a patter of near ones. */
const rain: ProceduralSound = {
  label: 'rain',
  seconds: [4, 10],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const hiss = highpass(voice.white(n), voice.sampleRate, voice.octaves(900, 2200))
    const out = gain(lowpass(hiss, voice.sampleRate, voice.octaves(5000, 9000)), 0.22)
    const swell = voice.wander(n, 0.7)
    for (let i = 0; i < n; i++) out[i]! *= 1 + 0.15 * swell[i]!
    const drops = voice.octaves(60, 220) * seconds
    const surface = voice.octaves(1800, 4200)
    for (let d = 0; d < drops; d++) {
      const m = voice.samples(voice.between(0.003, 0.012))
      const drop = shape(
        bandpass(voice.white(m), voice.sampleRate, surface * voice.between(0.7, 1.4), 2),
        lines(m, [0, 1, 1, 0]),
      )
      mixInto(out, drop, voice.rng.uniform() * n, voice.octaves(0.1, 1.1))
    }
    return out
  },
}

/** Wind: noise through a resonance that wanders and gusts. */
const wind: ProceduralSound = {
  label: 'wind',
  seconds: [4, 10],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const gusts = voice.wander(n, voice.between(0.5, 1.1))
    const centre = voice.octaves(260, 520)
    const howl = sweptBandpass(
      voice.pink(n),
      voice.sampleRate,
      gusts.map((g) => centre * 2 ** (0.9 * g)),
      voice.between(2, 5),
    )
    const out = lowpass(voice.pink(n), voice.sampleRate, 350)
    mixInto(gain(out, 0.4), howl, 0, 2.2)
    return shape(
      out,
      gusts.map((g) => 0.55 + 0.4 * g),
    )
  },
}

/** Waves: noise that swells, breaks with a bright hiss and draws back, every four to seven seconds. */
const seaWaves: ProceduralSound = {
  label: 'sea_waves',
  seconds: [5, 10],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const out = gain(lowpass(voice.pink(n), voice.sampleRate, voice.octaves(300, 900)), 0.5)
    const period = voice.between(3.6, 6.5)
    const dark = voice.octaves(700, 1900)
    const spray = voice.octaves(2800, 7500)
    for (let at = -voice.between(0, period); at < seconds; at += period * voice.between(0.85, 1.15)) {
      const m = voice.samples(period)
      const wash = mixInto(
        lowpass(voice.white(m), voice.sampleRate, dark),
        lowpass(voice.white(m), voice.sampleRate, spray),
        0,
        0.5,
      )
      const breaks = voice.between(0.35, 0.5)
      shape(wash, lines(m, [0, 0, breaks * 0.7, 0.3, breaks, 1, 0.7, 0.35, 1, 0]))
      mixInto(out, wash, at * voice.sampleRate, voice.between(0.7, 1.1))
    }
    return out
  },
}

/** Fire: a low roar under random snaps and pops of wood. */
const cracklingFire: ProceduralSound = {
  label: 'crackling_fire',
  seconds: [4, 10],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const flicker = voice.wander(n, 6)
    const out = shape(
      lowpass(voice.pink(n), voice.sampleRate, voice.octaves(220, 420)),
      flicker.map((f) => 0.16 + 0.05 * f),
    )
    const snaps = voice.octaves(9, 26) * seconds
    for (let s = 0; s < snaps; s++) {
      const m = voice.samples(voice.octaves(0.004, 0.03))
      const snap = highpass(voice.white(m), voice.sampleRate, voice.octaves(600, 3500))
      shape(snap, strike(m, voice.sampleRate, 0.0003, voice.octaves(0.004, 0.025)))
      mixInto(out, snap, voice.rng.uniform() * n, voice.octaves(0.06, 1.1))
    }
    return out
  },
}

/** A roll of thunder: a crack that breaks up into a long low rumble. */
const thunderstorm: ProceduralSound = {
  label: 'thunderstorm',
  seconds: [2.4, 4],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const near = voice.rng.uniform()
    const out = lowpass(lowpass(voice.pink(n), voice.sampleRate, 160 + 200 * near), voice.sampleRate, 320)
    gain(out, 4)
    const rolls = voice.wander(n, voice.between(5, 9))
    shape(
      out,
      rolls.map((r) => 0.6 + 0.4 * r),
    )
    for (let crack = 0; crack < 3; crack++) {
      const m = voice.samples(voice.between(0.2, 0.7))
      const clap = shape(
        lowpass(voice.white(m), voice.sampleRate, 500 + 1500 * near),
        strike(m, voice.sampleRate, 0.01, 0.5),
      )
      mixInto(out, clap, voice.between(0, 0.25) * n, (0.2 + 0.8 * near) * voice.between(0.3, 1))
    }
    return shape(out, lines(n, [0, 0, 0.06, 1, 0.4, 0.7, 1, 0]))
  },
}

/** One drip into water: a bubble whose pitch rises as it closes. */
const waterDrops: ProceduralSound = {
  label: 'water_drops',
  seconds: [0.16, 0.3],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const f0 = voice.octaves(650, 1500)
    const bubble = voice.between(0.03, 0.07)
    const out = ring(n, voice.sampleRate, [{ frequency: f0 * 2.6, gain: 0.25, decay: 0.02 }])
    const m = voice.samples(bubble * 2)
    const plop = sine(glide(m, [0, f0, 1, f0 * voice.between(1.5, 2.1)]), voice.sampleRate)
    mixInto(out, shape(plop, strike(m, voice.sampleRate, 0.002, bubble * 1.6)), 0.012 * voice.sampleRate)
    return echo(out, voice.samples(voice.between(0.04, 0.07)), 0.3)
  },
}

/** A brook: hundreds of small bubbles over a soft hiss. */
const stream: ProceduralSound = {
  label: 'stream',
  seconds: [4, 10],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const out = gain(bandpass(voice.pink(n), voice.sampleRate, voice.octaves(700, 1100), 0.7), 0.35)
    const bubbles = voice.between(45, 90) * seconds
    const centre = voice.octaves(520, 900)
    for (let b = 0; b < bubbles; b++) {
      const m = voice.samples(voice.between(0.015, 0.05))
      const f = centre * 2 ** voice.between(-1, 1.2)
      const bubble = sine(glide(m, [0, f, 1, f * voice.between(1.1, 1.7)]), voice.sampleRate)
      mixInto(
        out,
        shape(bubble, lines(m, [0, 0, 0.15, 1, 1, 0])),
        voice.rng.uniform() * n,
        voice.octaves(0.08, 0.7),
      )
    }
    return out
  },
}

/** Repeats after `delay` samples, weaker each time: a drop in a basin, a drip in a cave. */
function echo(x: Float32Array, delay: number, feedback: number): Float32Array {
  for (let i = delay; i < x.length; i++) x[i]! += feedback * x[i - delay]!
  return fadeEnds(x, 0, x.length * 0.2)
}

export const weather: readonly ProceduralSound[] = [
  rain,
  wind,
  seaWaves,
  cracklingFire,
  thunderstorm,
  waterDrops,
  stream,
]
