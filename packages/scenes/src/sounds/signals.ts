import { bandpass, highpass, lowpass } from '../synth/filters.js'
import { fadeEnds, gain, glide, lines, mixInto, shape, strike } from '../synth/shapes.js'
import { pluck, pulse, ring, sine } from '../synth/tones.js'
import type { ProceduralSound } from './sound.js'

/** One stroke of a church bell: hum, prime, tierce, quint, nominal and above, ringing long. */
const churchBells: ProceduralSound = {
  label: 'church_bells',
  seconds: [1.8, 3],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const prime = voice.octaves(260, 560)
    const partials = [
      [0.5, 0.5, 1],
      [1, 0.8, 0.75],
      [1.19, 0.7, 0.6],
      [1.5, 0.35, 0.45],
      [2, 1, 0.5],
      [2.51, 0.35, 0.3],
      [3.01, 0.4, 0.25],
      [4.17, 0.25, 0.15],
      [5.4, 0.15, 0.1],
    ]
    const long = voice.between(2.5, 4.5)
    const modes = partials.map(([ratio, level, decay]) => ({
      frequency: prime * ratio! * voice.around(1, 0.004),
      gain: level! * voice.around(1, 0.25),
      decay: long * decay!,
    }))
    const out = ring(n, voice.sampleRate, modes)
    const m = voice.samples(0.03)
    mixInto(
      out,
      shape(bandpass(voice.white(m), voice.sampleRate, 3200, 1), strike(m, voice.sampleRate, 0.001, 0.025)),
      0,
      1.2,
    )
    return fadeEnds(out, 0, n * 0.3)
  },
}

/** One ding of a bicycle bell: bright, struck by two small weights at almost the same time. */
const bicycleBell: ProceduralSound = {
  label: 'bicycle_bell',
  seconds: [0.6, 1.1],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const f0 = voice.octaves(1900, 2900)
    const modes = [1, 1.52, 2.41, 3.1].map((ratio, i) => ({
      frequency: f0 * ratio * voice.around(1, 0.03),
      gain: 0.9 ** i * voice.between(0.5, 1),
      decay: voice.between(0.5, 0.9) / (1 + 0.5 * i),
    }))
    const out = new Float32Array(n)
    const gap = voice.between(0.015, 0.035)
    for (const at of [0, gap])
      mixInto(out, ring(voice.samples(seconds - at), voice.sampleRate, modes), at * voice.sampleRate)
    return fadeEnds(out, 0, n * 0.25)
  },
}

/** One ring of an old telephone: two small gongs struck in turn twenty-five times a second. */
const telephone: ProceduralSound = {
  label: 'telephone',
  seconds: [0.9, 1.5],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const out = new Float32Array(n)
    const f0 = voice.octaves(1050, 1500)
    const gongs = [1, voice.between(1.22, 1.34)].map((ratio) =>
      ring(voice.samples(0.3), voice.sampleRate, [
        { frequency: f0 * ratio, gain: 1, decay: 0.3 },
        { frequency: f0 * ratio * 2.76, gain: 0.5, decay: 0.15 },
        { frequency: f0 * ratio * 4.1, gain: 0.2, decay: 0.08 },
      ]),
    )
    const rate = voice.between(22, 28)
    const stop = seconds * 0.8
    for (let at = 0, i = 0; at < stop; at += 1 / rate, i++)
      mixInto(out, gongs[i % 2]!, at * voice.sampleRate, voice.between(0.85, 1))
    return fadeEnds(out, 0, n * 0.15)
  },
}

/** One beep of an electronic alarm. */
const clockAlarm: ProceduralSound = {
  label: 'clock_alarm',
  seconds: [0.12, 0.28],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const tone = pulse(
      new Float32Array(n).fill(voice.octaves(1900, 3100)),
      voice.sampleRate,
      voice.between(0.3, 0.5),
    )
    lowpass(tone, voice.sampleRate, 7000)
    return fadeEnds(tone, 0.004 * voice.sampleRate, 0.006 * voice.sampleRate)
  },
}

/** A referee's whistle: a shrill tone chopped by the pea. */
const whistle: ProceduralSound = {
  label: 'whistle',
  seconds: [0.4, 1],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const f0 = voice.octaves(2300, 3300)
    const rate = voice.between(26, 44)
    const pitch = new Float32Array(n).map(
      (_, i) => f0 * (1 + 0.025 * Math.sin((2 * Math.PI * rate * i) / voice.sampleRate)),
    )
    const tone = mixInto(
      sine(pitch, voice.sampleRate),
      sine(
        pitch.map((f) => f * 1.07),
        voice.sampleRate,
      ),
      0,
      0.5,
    )
    shape(
      tone,
      new Float32Array(n).map((_, i) => 0.65 + 0.35 * Math.sin((2 * Math.PI * rate * i) / voice.sampleRate)),
    )
    mixInto(tone, highpass(voice.white(n), voice.sampleRate, 2500), 0, 0.08)
    return shape(tone, lines(n, [0, 0, 0.06, 1, 0.85, 0.95, 1, 0]))
  },
}

/** One beat of a drum: a skin whose pitch drops, and the stick. */
const drum: ProceduralSound = {
  label: 'drum',
  seconds: [0.35, 0.7],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const f0 = voice.octaves(70, 150)
    const decay = voice.between(0.3, 0.6)
    const skin = sine(glide(n, [0, f0 * 1.9, 0.08, f0 * 1.15, 1, f0]), voice.sampleRate)
    shape(skin, strike(n, voice.sampleRate, 0.002, decay))
    mixInto(
      skin,
      ring(n, voice.sampleRate, [
        { frequency: f0 * 2.3, gain: 0.4, decay: decay * 0.5 },
        { frequency: f0 * 3.6, gain: 0.2, decay: decay * 0.35 },
      ]),
    )
    const m = voice.samples(0.03)
    mixInto(
      skin,
      shape(lowpass(voice.white(m), voice.sampleRate, 2800), strike(m, voice.sampleRate, 0.0005, 0.025)),
      0,
      voice.between(0.3, 0.7),
    )
    return fadeEnds(skin, 0, n * 0.2)
  },
}

/** One plucked guitar string. */
const guitar: ProceduralSound = {
  label: 'guitar',
  seconds: [1, 1.8],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const f0 = 82.41 * 2 ** (voice.integer(0, 24) / 12)
    const burst = lowpass(voice.white(voice.samples(1 / f0)), voice.sampleRate, voice.octaves(1800, 4500))
    const string = pluck(n, voice.sampleRate, f0, voice.between(0.994, 0.998), burst)
    const body = mixInto(
      bandpass(string.slice(), voice.sampleRate, 110, 2),
      bandpass(string.slice(), voice.sampleRate, 220, 2),
    )
    return fadeEnds(highpass(mixInto(string, body, 0, 0.6), voice.sampleRate, 60), 2, n * 0.3)
  },
}

/** A bunch of keys: a handful of small bright pieces knocking together. */
const keys: ProceduralSound = {
  label: 'keys_jangling',
  seconds: [0.9, 1.8],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const out = new Float32Array(n)
    const pieces = Array.from({ length: 5 }, () => {
      const f = voice.octaves(Math.min(3200, 0.3 * voice.sampleRate), Math.min(6500, 0.45 * voice.sampleRate))
      const modes = [1, 1.47, 2.09].map((ratio) => ({
        frequency: f * ratio,
        gain: voice.between(0.3, 1),
        decay: voice.between(0.05, 0.16),
      }))
      return ring(voice.samples(0.2), voice.sampleRate, modes)
    })
    const hits = voice.between(14, 24) * seconds
    for (let h = 0; h < hits; h++) {
      const at = voice.rng.uniform()
      mixInto(out, voice.rng.pick(pieces), at * n, voice.octaves(0.15, 1) * Math.sin(Math.PI * at))
    }
    return gain(fadeEnds(out, 0, n * 0.1), 0.5)
  },
}

export const signals: readonly ProceduralSound[] = [
  churchBells,
  bicycleBell,
  telephone,
  clockAlarm,
  whistle,
  drum,
  guitar,
  keys,
]
