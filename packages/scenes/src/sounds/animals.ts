import { bandpass, formants, highpass, lowpass } from '../synth/filters.js'
import { fadeEnds, gain, glide, lines, mixInto, saturate, shape, strike } from '../synth/shapes.js'
import { saw, sine } from '../synth/tones.js'
import type { Voice } from '../synth/voice.js'
import type { ProceduralSound } from './sound.js'

/** A vocal source: a buzz that follows the pitch, roughened by random pitch shake, with some breath. */
function larynx(voice: Voice, pitch: Float32Array, rough: number, breath: number): Float32Array {
  const shake = voice.wander(pitch.length, 90)
  const source = saw(
    pitch.map((f, i) => f * (1 + rough * shake[i]!)),
    voice.sampleRate,
  )
  return mixInto(source, voice.white(pitch.length), 0, breath)
}

/** One bark: a steep rise and fall of pitch through an opening mouth. Small dogs bark higher and shorter. */
const dog: ProceduralSound = {
  label: 'dog',
  seconds: [0.16, 0.34],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const size = voice.octaves(0.6, 1.6)
    const f0 = 380 * size
    const rise = voice.between(0.1, 0.25)
    const pitch = glide(n, [0, f0 * 0.65, rise, f0 * 1.2, 0.55, f0, 1, f0 * 0.5])
    const source = larynx(voice, pitch, voice.between(0.03, 0.12), voice.between(0.25, 0.6))
    const mouth = 620 * size ** 0.4
    const out = formants(source, voice.sampleRate, [
      { at: glide(n, [0, mouth * 0.7, rise, mouth * 1.3, 1, mouth * 0.8]), width: 180, gain: 1.2 },
      { at: voice.around(1450 * size ** 0.3, 0.1), width: 260, gain: 0.9 },
      { at: voice.around(2800, 0.1), width: 500, gain: 0.35 },
    ])
    shape(saturate(out, voice.between(1.5, 3)), lines(n, [0, 0, 0.05, 1, 0.4, 0.75, 1, 0]))
    return fadeEnds(out, 0.002 * voice.sampleRate, 0.02 * voice.sampleRate)
  },
}

/** A meow: the vowel travels from closed to open and back while the pitch arches. */
const cat: ProceduralSound = {
  label: 'cat',
  seconds: [0.55, 1.1],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const f0 = voice.octaves(420, 760)
    const peak = voice.between(0.25, 0.5)
    const pitch = glide(n, [0, f0 * 0.8, peak, f0 * voice.between(1.15, 1.4), 1, f0 * 0.7])
    const source = larynx(voice, pitch, 0.01, 0.05)
    const open = voice.around(1, 0.12)
    const out = formants(source, voice.sampleRate, [
      { at: glide(n, [0, 420 * open, 0.5, 1050 * open, 1, 480 * open]), width: 140, gain: 1 },
      { at: glide(n, [0, 2300 * open, 0.4, 1900 * open, 1, 1000 * open]), width: 220, gain: 0.9 },
      { at: 3400 * open, width: 350, gain: 0.3 },
    ])
    return shape(out, lines(n, [0, 0, 0.12, 0.6, 0.4, 1, 0.8, 0.6, 1, 0]))
  },
}

/** A phrase of quick whistled syllables between 2.5 and 7 kHz. */
const chirpingBirds: ProceduralSound = {
  label: 'chirping_birds',
  seconds: [1, 2.6],
  render(voice, seconds) {
    const out = new Float32Array(voice.samples(seconds))
    const centre = voice.octaves(2800, 5200)
    const syllable = voice.between(0.04, 0.11)
    const gap = voice.between(0.02, 0.09)
    const bend = voice.between(-0.35, 0.35)
    const trill = voice.chance(0.35) ? voice.between(25, 45) : 0
    for (let at = 0; at + syllable < seconds; at += syllable + gap * voice.between(0.7, 1.3)) {
      const n = voice.samples(syllable)
      const f = centre * voice.between(0.92, 1.08)
      const sweep = glide(n, [0, f * (1 - bend), 0.5, f * (1 + 0.6 * Math.abs(bend)), 1, f * (1 + bend)])
      for (let i = 0; i < n; i++)
        sweep[i]! *= 1 + 0.06 * Math.sin((2 * Math.PI * trill * i) / voice.sampleRate)
      const note = shape(sine(sweep, voice.sampleRate), lines(n, [0, 0, 0.2, 1, 0.7, 0.8, 1, 0]))
      mixInto(out, note, at * voice.sampleRate, voice.between(0.6, 1))
    }
    return out
  },
}

/** A caw: a harsh, falling voice, its tone torn by slow beating. */
const crow: ProceduralSound = {
  label: 'crow',
  seconds: [0.35, 0.6],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const f0 = voice.octaves(420, 620)
    const pitch = glide(n, [0, f0 * 0.9, 0.2, f0 * 1.1, 1, f0 * 0.72])
    const tear = sine(new Float32Array(n).fill(voice.between(55, 85)), voice.sampleRate).map(
      (s) => 0.55 + 0.45 * s,
    )
    const source = shape(larynx(voice, pitch, 0.05, 0.5), tear)
    const out = formants(source, voice.sampleRate, [
      { at: voice.around(1150, 0.08), width: 250, gain: 0.8 },
      { at: voice.around(1750, 0.08), width: 250, gain: 1.2 },
      { at: voice.around(3300, 0.08), width: 500, gain: 0.6 },
    ])
    return shape(saturate(out, 2.5), lines(n, [0, 0, 0.1, 1, 0.75, 0.8, 1, 0]))
  },
}

/** One hoot: a soft, almost pure tone near 350 Hz that swells and sinks. */
const owl: ProceduralSound = {
  label: 'owl',
  seconds: [0.4, 0.8],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const f0 = voice.octaves(280, 460)
    const arch = voice.between(1.02, 1.12)
    const pitch = glide(n, [0, f0 * 0.94, voice.between(0.2, 0.45), f0 * arch, 1, f0 * 0.92])
    const octave = pitch.map((f) => 2 * f)
    const note = mixInto(
      sine(pitch, voice.sampleRate),
      sine(octave, voice.sampleRate),
      0,
      voice.octaves(0.06, 0.25),
    )
    const breath = bandpass(voice.white(n), voice.sampleRate, f0 * 1.5, 2)
    mixInto(note, breath, 0, voice.octaves(0.06, 0.25))
    return shape(note, lines(n, [0, 0, voice.between(0.15, 0.35), 1, 0.7, 0.9, 1, 0]))
  },
}

/** Cock-a-doodle-doo: three short calls and a long falling one, bright and strained. */
const rooster: ProceduralSound = {
  label: 'rooster',
  seconds: [1.4, 2.2],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const f0 = voice.octaves(520, 760)
    const pitch = glide(n, [
      0,
      f0 * 0.75,
      0.1,
      f0,
      0.14,
      f0 * 0.8,
      0.2,
      f0 * 1.15,
      0.27,
      f0 * 0.95,
      0.36,
      f0 * 1.3,
      0.42,
      f0 * 1.1,
      0.52,
      f0 * 1.45,
      0.75,
      f0 * 1.35,
      1,
      f0 * 0.7,
    ])
    const source = larynx(voice, pitch, voice.between(0.008, 0.03), voice.between(0.08, 0.2))
    const open = voice.around(1, 0.1)
    const out = formants(source, voice.sampleRate, [
      { at: 1000 * open, width: 260, gain: 0.8 },
      { at: 1900 * open, width: 300, gain: 1.2 },
      { at: 3100 * open, width: 450, gain: 0.7 },
    ])
    const level = lines(
      n,
      [
        0, 0, 0.03, 0.7, 0.11, 0.6, 0.14, 0.05, 0.17, 0.8, 0.26, 0.7, 0.29, 0.08, 0.33, 0.9, 0.41, 0.7, 0.44,
        0.15, 0.5, 1, 0.8, 0.8, 1, 0,
      ],
    )
    return shape(saturate(out, 1.8), level)
  },
}

/** A croak: a burst of 30 to 60 throat pulses a second. */
const frog: ProceduralSound = {
  label: 'frog',
  seconds: [0.3, 0.65],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const rate = voice.octaves(28, 62)
    const throat = voice.octaves(480, 950)
    const pulses = saw(glide(n, [0, rate * 0.85, 0.4, rate, 1, rate * 0.9]), voice.sampleRate)
    const out = formants(highpass(pulses, voice.sampleRate, 200), voice.sampleRate, [
      { at: glide(n, [0, throat * 0.85, 1, throat * 1.15]), width: 90, gain: 1.3 },
      { at: throat * 2.3, width: 220, gain: 0.6 },
    ])
    return shape(out, lines(n, [0, 0, 0.15, 0.7, 0.6, 1, 0.9, 0.8, 1, 0]))
  },
}

/** A moo: long, low and nasal, swelling and sinking. */
const cow: ProceduralSound = {
  label: 'cow',
  seconds: [1.2, 2],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const f0 = voice.octaves(95, 165)
    const pitch = glide(n, [0, f0 * 0.8, 0.3, f0 * 1.15, 0.7, f0, 1, f0 * 0.75])
    const source = larynx(voice, pitch, 0.02, 0.08)
    const out = formants(source, voice.sampleRate, [
      { at: glide(n, [0, 260, 0.35, voice.between(520, 680), 1, 300]), width: 110, gain: 1.4 },
      { at: voice.around(1000, 0.1), width: 180, gain: 0.5 },
      { at: voice.around(2400, 0.1), width: 400, gain: 0.15 },
    ])
    return shape(out, lines(n, [0, 0, 0.2, 0.8, 0.5, 1, 0.8, 0.7, 1, 0]))
  },
}

/** A bee or fly: wing beats near 200 Hz that come near and go. */
const insects: ProceduralSound = {
  label: 'insects',
  seconds: [1.8, 3.4],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const f0 = voice.octaves(150, 260)
    const drift = voice.wander(n, 3)
    const near = voice.wander(n, 2)
    const wings = saw(
      drift.map((d) => f0 * (1 + 0.09 * d)),
      voice.sampleRate,
    )
    const out = formants(wings, voice.sampleRate, [
      { at: f0 * 2, width: 200, gain: 1 },
      { at: voice.around(1500, 0.2), width: 900, gain: 0.8 },
      { at: voice.around(3600, 0.15), width: 1400, gain: 0.5 },
    ])
    shape(
      out,
      near.map((d) => 0.6 + 0.4 * d),
    )
    return shape(out, lines(n, [0, 0, 0.2, 1, 0.8, 1, 1, 0]))
  },
}

/** Crickets: trills of short pulses of a 4 to 5 kHz tone, two or three insects out of step. */
const crickets: ProceduralSound = {
  label: 'crickets',
  seconds: [3, 10],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const out = gain(highpass(voice.pink(n), voice.sampleRate, 2500), 0.012)
    for (let insect = voice.integer(2, 3); insect > 0; insect--) {
      const tone = voice.octaves(3900, 5200)
      const chirp = voice.between(0.35, 0.65)
      const pulses = voice.integer(3, 4)
      const length = voice.between(0.018, 0.026)
      const loud = voice.between(0.4, 1)
      for (let at = -voice.between(0, chirp); at < seconds; at += chirp * voice.between(0.97, 1.03)) {
        for (let p = 0; p < pulses; p++) {
          const m = voice.samples(length)
          const note = sine(glide(m, [0, tone * 1.01, 1, tone * 0.98]), voice.sampleRate)
          shape(note, lines(m, [0, 0, 0.3, 1, 1, 0]))
          mixInto(out, note, (at + p * length * 1.7) * voice.sampleRate, loud * (0.6 + 0.4 * (p / pulses)))
        }
      }
    }
    return out
  },
}

/** A whinny: a long shaken fall from a scream to a grumble. */
const horse: ProceduralSound = {
  label: 'horse',
  seconds: [1.2, 1.9],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const f0 = voice.octaves(700, 1000)
    const shakes = voice.between(8, 12)
    const pitch = glide(n, [0, f0 * 0.8, 0.12, f0 * 1.2, 0.6, f0 * 0.75, 1, f0 * 0.3])
    for (let i = 0; i < n; i++)
      pitch[i]! *= 1 + 0.09 * Math.sin((2 * Math.PI * shakes * i) / voice.sampleRate)
    const beat = new Float32Array(n).map(
      (_, i) => 0.6 + 0.4 * Math.cos((2 * Math.PI * shakes * i) / voice.sampleRate),
    )
    const out = formants(
      larynx(voice, pitch, voice.between(0.02, 0.06), voice.octaves(0.1, 0.6)),
      voice.sampleRate,
      [
        { at: voice.around(900, 0.2), width: 300, gain: 1 },
        { at: voice.around(2100, 0.2), width: 400, gain: 1 },
        { at: voice.around(3400, 0.2), width: 600, gain: 0.4 },
      ],
    )
    return shape(shape(out, beat), lines(n, [0, 0, 0.08, 1, 0.6, 0.7, 1, 0]))
  },
}

/** A woodpecker: a roll of 10 to 20 dry taps on a hollow trunk. */
const woodpecker: ProceduralSound = {
  label: 'woodpecker',
  seconds: [0.6, 1],
  render(voice, seconds) {
    const out = new Float32Array(voice.samples(seconds))
    const rate = voice.between(14, 22)
    const wood = voice.octaves(900, 1700)
    for (let at = 0, i = 0; at < seconds - 0.05; at += (1 / rate) * (1 - 0.012 * i++)) {
      const n = voice.samples(0.05)
      const tap = bandpass(voice.white(n), voice.sampleRate, wood, 5)
      mixInto(tap, lowpass(voice.white(n), voice.sampleRate, 5000), 0, 0.12)
      shape(tap, strike(n, voice.sampleRate, 0.0006, 0.03))
      mixInto(out, tap, at * voice.sampleRate, 1 - 0.5 * (at / seconds))
    }
    return out
  },
}

export const animals: readonly ProceduralSound[] = [
  dog,
  cat,
  chirpingBirds,
  crow,
  owl,
  rooster,
  frog,
  cow,
  horse,
  insects,
  crickets,
  woodpecker,
]
