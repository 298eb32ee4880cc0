import { bandpass, formants, highpass, lowpass } from '../synth/filters.js'
import { gain, glide, lines, mixInto, saturate, shape, strike } from '../synth/shapes.js'
import { pulse, saw, sine } from '../synth/tones.js'
import type { Voice } from '../synth/voice.js'
import type { ProceduralSound } from './sound.js'

/** A train of identical thumps, its rate following a curve (Hz); every `uneven`-th one differs, as cylinders do. */
function beats(voice: Voice, rate: Float32Array, thump: Float32Array, uneven: number): Float32Array {
  const out = new Float32Array(rate.length)
  let next = 0
  const weights = Array.from({ length: uneven }, () => voice.between(0.65, 1))
  for (let beat = 0; next < rate.length; beat++) {
    mixInto(out, thump, next, weights[beat % uneven]!)
    next += voice.sampleRate / rate[Math.min(rate.length - 1, Math.floor(next))]!
  }
  return out
}

/** A car engine turning over idly: 18 to 35 firings a second and a rattle. */
const engine: ProceduralSound = {
  label: 'engine',
  seconds: [4, 10],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const firing = voice.octaves(18, 34)
    const m = voice.samples(0.06)
    const thump = lowpass(voice.white(m), voice.sampleRate, voice.octaves(140, 260))
    shape(thump, strike(m, voice.sampleRate, 0.002, 0.06))
    const wobble = voice.wander(n, 2)
    const out = gain(
      beats(
        voice,
        wobble.map((w) => firing * (1 + 0.03 * w)),
        thump,
        4,
      ),
      3,
    )
    const rattle = shape(
      bandpass(voice.white(n), voice.sampleRate, voice.octaves(900, 1600), 1),
      beats(voice, new Float32Array(n).fill(firing / 2), strike(m, voice.sampleRate, 0.001, 0.03), 2),
    )
    mixInto(out, rattle, 0, 0.25)
    return mixInto(out, lowpass(voice.pink(n), voice.sampleRate, 400), 0, 0.12)
  },
}

/** A helicopter: ten to sixteen blade slaps a second over turbine noise. */
const helicopter: ProceduralSound = {
  label: 'helicopter',
  seconds: [4, 10],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const rate = voice.between(9.5, 16)
    const m = voice.samples(0.055)
    const slap = mixInto(
      lowpass(voice.white(m), voice.sampleRate, 320),
      lowpass(voice.white(m), voice.sampleRate, 1100),
      0,
      0.35,
    )
    shape(slap, lines(m, [0, 0, 0.25, 1, 1, 0]))
    const out = gain(beats(voice, new Float32Array(n).fill(rate), slap, 2), 2)
    const turbine = sine(new Float32Array(n).fill(voice.octaves(1700, 2600)), voice.sampleRate)
    mixInto(out, turbine, 0, 0.03)
    mixInto(out, bandpass(voice.pink(n), voice.sampleRate, 600, 0.5), 0, 0.3)
    const distance = voice.wander(n, 0.4)
    return shape(
      out,
      distance.map((d) => 0.85 + 0.15 * d),
    )
  },
}

/** A chainsaw: a two-stroke rasp that is revved up and let down. */
const chainsaw: ProceduralSound = {
  label: 'chainsaw',
  seconds: [2.5, 10],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const idle = voice.octaves(75, 110)
    const throttle = voice.wander(n, voice.between(0.8, 1.6))
    const shake = voice.wander(n, 60)
    const pitch = throttle.map((t, i) => idle * (1.35 + 0.45 * t) * (1 + 0.03 * shake[i]!))
    const motor = saturate(mixInto(saw(pitch, voice.sampleRate), voice.white(n), 0, 0.35), 2)
    const out = formants(motor, voice.sampleRate, [
      { at: voice.around(420, 0.15), width: 300, gain: 0.8 },
      { at: voice.around(1300, 0.15), width: 700, gain: 0.7 },
      { at: voice.around(3200, 0.15), width: 1500, gain: 0.8 },
    ])
    return shape(
      out,
      throttle.map((t) => 0.75 + 0.25 * t),
    )
  },
}

/** A vacuum cleaner: a steady whine with its harmonics in a broad rush of air. */
const vacuumCleaner: ProceduralSound = {
  label: 'vacuum_cleaner',
  seconds: [4, 10],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const whine = voice.octaves(210, 380)
    const steady = voice.wander(n, 1).map((w) => whine * (1 + 0.006 * w))
    const motor = lowpass(saw(steady, voice.sampleRate), voice.sampleRate, voice.octaves(1400, 5200))
    const air = bandpass(voice.white(n), voice.sampleRate, voice.octaves(700, 2400), voice.between(0.35, 0.9))
    return mixInto(gain(motor, voice.octaves(0.12, 0.4)), air, 0, 0.9)
  },
}

/** A transformer: harmonics of 100 or 120 Hz that beat slowly. */
const hum: ProceduralSound = {
  label: 'hum',
  seconds: [4, 10],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const mains = voice.chance(0.5) ? 100 : 120
    const out = gain(lowpass(voice.pink(n), voice.sampleRate, 300), 0.02)
    for (let k = 1; k <= 8; k++) {
      const level = voice.between(0.3, 1) / k ** voice.between(0.5, 1.1)
      const beat = voice.wander(n, 0.8).map((b) => 1 + 0.12 * b)
      mixInto(
        out,
        shape(sine(new Float32Array(n).fill(mains * k * voice.around(1, 0.0005)), voice.sampleRate), beat),
        0,
        level,
      )
    }
    return out
  },
}

/** A passing train: wheels over rail joints, in pairs, above a heavy rumble. */
const train: ProceduralSound = {
  label: 'train',
  seconds: [4, 10],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const out = gain(
      lowpass(voice.pink(n), voice.sampleRate, voice.octaves(110, 360)),
      voice.octaves(0.5, 1.3),
    )
    mixInto(
      out,
      bandpass(voice.white(n), voice.sampleRate, voice.octaves(1700, 3800), 0.8),
      0,
      voice.octaves(0.02, 0.16),
    )
    const period = voice.between(0.55, 0.95)
    const pair = period * voice.between(0.2, 0.3)
    const steel = voice.octaves(700, 1300)
    for (let at = -voice.between(0, period); at < seconds; at += period) {
      for (const joint of [0, pair]) {
        const m = voice.samples(0.14)
        const clack = mixInto(
          bandpass(voice.white(m), voice.sampleRate, steel, 3),
          lowpass(voice.white(m), voice.sampleRate, 220),
          0,
          1.6,
        )
        mixInto(
          out,
          shape(clack, strike(m, voice.sampleRate, 0.002, 0.1)),
          (at + joint) * voice.sampleRate,
          voice.between(0.7, 1),
        )
      }
    }
    return out
  },
}

/** A motor horn: two reeds a third apart, pressed once. */
const carHorn: ProceduralSound = {
  label: 'car_horn',
  seconds: [0.35, 0.9],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const f0 = voice.octaves(330, 470)
    const ratio = voice.chance(0.7) ? 1.26 : 1.19
    const out = new Float32Array(n)
    for (const f of [f0, f0 * ratio]) {
      mixInto(out, pulse(glide(n, [0, f * 0.97, 0.08, f, 1, f]), voice.sampleRate, 0.35))
    }
    highpass(lowpass(out, voice.sampleRate, voice.octaves(2200, 3800)), voice.sampleRate, 250)
    return shape(out, lines(n, [0, 0, 0.05, 1, 0.92, 1, 1, 0]))
  },
}

/** A siren: wailing, yelping or two-tone. */
const siren: ProceduralSound = {
  label: 'siren',
  seconds: [2.6, 4.5],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const low = voice.octaves(520, 700)
    const style = voice.integer(0, 2)
    const rate = [voice.between(0.3, 0.5), voice.between(2.4, 3.6), voice.between(0.8, 1.2)][style]!
    const pitch = new Float32Array(n).map((_, i) => {
      const phase = (rate * i) / voice.sampleRate
      const swing = style === 2 ? (phase % 1 < 0.5 ? 0 : 0.42) : 0.5 - 0.5 * Math.cos(2 * Math.PI * phase)
      return low * (style === 2 ? 1 + swing : 2.3 ** swing)
    })
    const out = lowpass(
      mixInto(saw(pitch, voice.sampleRate), sine(pitch, voice.sampleRate)),
      voice.sampleRate,
      3000,
    )
    return shape(out, lines(n, [0, 0, 0.06, 1, 0.9, 1, 1, 0]))
  },
}

export const machines: readonly ProceduralSound[] = [
  engine,
  helicopter,
  chainsaw,
  vacuumCleaner,
  hum,
  train,
  carHorn,
  siren,
]
