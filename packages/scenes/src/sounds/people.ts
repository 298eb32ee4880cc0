import { bandpass, formants, highpass, lowpass } from '../synth/filters.js'
import { fadeEnds, gain, glide, lines, mixInto, saturate, shape, strike } from '../synth/shapes.js'
import { ring, saw } from '../synth/tones.js'
import type { ProceduralSound } from './sound.js'

/** A sneeze: a drawn breath, then a burst. */
const sneezing: ProceduralSound = {
  label: 'sneezing',
  seconds: [0.7, 1.1],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const out = new Float32Array(n)
    const build = voice.between(0.4, 0.5)
    const a = voice.samples(seconds * build)
    const breath = bandpass(voice.white(a), voice.sampleRate, voice.octaves(900, 1500), 1)
    mixInto(out, shape(breath, lines(a, [0, 0, 0.8, 0.35, 1, 0.05])))
    const b = n - a
    const f0 = voice.octaves(150, 330)
    const cry = saw(glide(b, [0, f0 * 1.3, 0.3, f0, 1, f0 * 0.6]), voice.sampleRate)
    shape(cry, lines(b, [0, 0.2, 0.1, 1, 0.5, 0.15, 1, 0]))
    const burst = highpass(voice.white(b), voice.sampleRate, voice.octaves(1100, 2200))
    shape(burst, lines(b, [0, 0, 0.06, 1, 0.25, 0.8, 0.6, 0.2, 1, 0]))
    const mouth = formants(mixInto(gain(burst, 0.9), cry, 0, 0.8), voice.sampleRate, [
      { at: voice.around(700, 0.15), width: 200, gain: 0.8 },
      { at: voice.around(1800, 0.15), width: 500, gain: 0.9 },
      { at: voice.around(3600, 0.15), width: 1600, gain: 1.2 },
    ])
    return mixInto(out, mouth, a)
  },
}

/** A cough: one or two dry bursts from the throat. */
const coughing: ProceduralSound = {
  label: 'coughing',
  seconds: [0.3, 0.5],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const f0 = voice.octaves(110, 230)
    const throat = mixInto(
      saw(glide(n, [0, f0 * 1.4, 1, f0 * 0.7]), voice.sampleRate),
      voice.white(n),
      0,
      1.2,
    )
    const size = voice.around(1, 0.15)
    const out = formants(throat, voice.sampleRate, [
      { at: 480 * size, width: 160, gain: 1.2 },
      { at: 1250 * size, width: 250, gain: 0.8 },
      { at: 2500 * size, width: 500, gain: 0.3 },
    ])
    shape(saturate(out, 2), lines(n, [0, 0, 0.04, 1, 0.3, 0.55, 0.55, 0.15, 0.65, 0.3, 1, 0]))
    return out
  },
}

/** A baby: wail after wail, each arching in pitch, with breaths between. */
const cryingBaby: ProceduralSound = {
  label: 'crying_baby',
  seconds: [2.2, 4],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const out = new Float32Array(n)
    const f0 = voice.octaves(380, 540)
    const wail = voice.between(0.7, 1.1)
    const open = voice.around(1, 0.1)
    for (let at = 0; at < seconds - 0.4; at += wail * voice.between(1.2, 1.4)) {
      const m = voice.samples(Math.min(wail * voice.between(0.85, 1.15), seconds - at))
      const top = voice.between(1.1, 1.35)
      const pitch = glide(m, [0, f0 * 0.85, 0.25, f0 * top, 0.7, f0 * 1.05, 1, f0 * 0.7])
      const shake = voice.wander(m, 14)
      const cry = mixInto(
        saw(
          pitch.map((f, i) => f * (1 + 0.025 * shake[i]!)),
          voice.sampleRate,
        ),
        voice.white(m),
        0,
        0.08,
      )
      const voiced = formants(cry, voice.sampleRate, [
        { at: 1050 * open, width: 200, gain: 1 },
        { at: 1650 * open, width: 260, gain: 0.8 },
        { at: 3300 * open, width: 450, gain: 0.7 },
      ])
      mixInto(out, shape(voiced, lines(m, [0, 0, 0.12, 0.9, 0.5, 1, 1, 0])), at * voice.sampleRate)
    }
    return out
  },
}

/** Laughter: a run of short vowels, "ha-ha-ha", sinking. */
const laughing: ProceduralSound = {
  label: 'laughing',
  seconds: [1.2, 2.2],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const out = new Float32Array(n)
    const f0 = voice.octaves(150, 340)
    const rate = voice.between(4.2, 5.6)
    const size = (f0 / 200) ** 0.25
    for (let at = 0; at + 0.8 / rate < seconds; at += 1 / rate) {
      const m = voice.samples(0.8 / rate)
      const f = f0 * (1.2 - (0.4 * at) / seconds) * voice.between(0.96, 1.04)
      const vowel = mixInto(saw(glide(m, [0, f * 1.1, 1, f * 0.9]), voice.sampleRate), voice.white(m), 0, 0.1)
      const huff = lowpass(highpass(voice.white(m), voice.sampleRate, 800), voice.sampleRate, 3500)
      shape(huff, lines(m, [0, 0, 0.1, 0.4, 0.25, 0, 1, 0]))
      const voiced = formants(
        shape(vowel, lines(m, [0, 0, 0.2, 0, 0.35, 1, 0.6, 0.7, 1, 0])),
        voice.sampleRate,
        [
          { at: 780 * size, width: 130, gain: 1.2 },
          { at: 1250 * size, width: 150, gain: 0.8 },
          { at: 2600 * size, width: 250, gain: 0.3 },
        ],
      )
      mixInto(out, mixInto(voiced, huff, 0, 0.4), at * voice.sampleRate, 1 - (0.5 * at) / seconds)
    }
    return out
  },
}

/** A few people clapping. */
const clapping: ProceduralSound = {
  label: 'clapping',
  seconds: [2.2, 4],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const out = new Float32Array(n)
    for (let person = voice.integer(2, 6); person > 0; person--) {
      const rate = voice.between(2.6, 4.6)
      const palm = voice.octaves(900, 1900)
      const loud = voice.between(0.4, 1)
      for (let at = voice.between(0, 1 / rate); at < seconds; at += (1 / rate) * voice.between(0.93, 1.07)) {
        const m = voice.samples(0.06)
        const clap = mixInto(
          bandpass(voice.white(m), voice.sampleRate, palm, 1.6),
          highpass(voice.white(m), voice.sampleRate, 3000),
          0,
          0.2,
        )
        mixInto(
          out,
          shape(clap, strike(m, voice.sampleRate, 0.001, 0.045)),
          at * voice.sampleRate,
          loud * voice.between(0.7, 1),
        )
      }
    }
    return fadeEnds(out, 0.15 * voice.sampleRate, 0.4 * voice.sampleRate)
  },
}

/** Someone walking: heel and sole, left and right a little different. */
const footsteps: ProceduralSound = {
  label: 'footsteps',
  seconds: [2, 4],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const out = new Float32Array(n)
    const pace = voice.between(0.42, 0.65)
    const floor = voice.octaves(130, 320)
    const bright = voice.octaves(1200, 3200)
    for (let at = 0, step = 0; at < seconds - 0.2; at += pace * voice.between(0.95, 1.05), step++) {
      const side = step % 2 === 0 ? 1 : 1.12
      for (const [delay, level] of [
        [0, 1],
        [voice.between(0.07, 0.1), 0.45],
      ] as const) {
        const m = voice.samples(0.12)
        const thud = gain(bandpass(voice.white(m), voice.sampleRate, floor * side, 2.5), 2)
        mixInto(thud, bandpass(voice.white(m), voice.sampleRate, bright * side, 1), 0, 0.35)
        mixInto(
          out,
          shape(thud, strike(m, voice.sampleRate, 0.003, 0.08)),
          (at + delay) * voice.sampleRate,
          level,
        )
      }
    }
    return out
  },
}

/** One knock on a wooden door. */
const doorKnock: ProceduralSound = {
  label: 'door_wood_knock',
  seconds: [0.16, 0.26],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const f0 = voice.octaves(160, 330)
    const out = ring(n, voice.sampleRate, [
      { frequency: f0, gain: 1, decay: voice.between(0.09, 0.15) },
      { frequency: f0 * voice.between(2, 2.4), gain: 0.6, decay: 0.07 },
      { frequency: f0 * voice.between(3.4, 4.1), gain: 0.35, decay: 0.04 },
    ])
    const m = voice.samples(0.015)
    return mixInto(
      out,
      shape(lowpass(voice.white(m), voice.sampleRate, 3000), strike(m, voice.sampleRate, 0.0005, 0.012)),
      0,
      0.8,
    )
  },
}

/** Typing: quick clicks of keys in runs and pauses. */
const keyboardTyping: ProceduralSound = {
  label: 'keyboard_typing',
  seconds: [2.2, 4.5],
  render(voice, seconds) {
    const n = voice.samples(seconds)
    const out = new Float32Array(n)
    const speed = voice.between(6, 10)
    const board = voice.octaves(1900, 3600)
    for (
      let at = 0;
      at < seconds - 0.1;
      at += voice.chance(0.1) ? voice.between(0.25, 0.45) : voice.between(0.6, 1.4) / speed
    ) {
      for (const [delay, level] of [
        [0, 1],
        [voice.between(0.05, 0.08), 0.4],
      ] as const) {
        const m = voice.samples(0.025)
        const click = bandpass(voice.white(m), voice.sampleRate, board * voice.between(0.85, 1.2), 2.5)
        mixInto(click, bandpass(voice.white(m), voice.sampleRate, 420, 2), 0, 0.5)
        mixInto(
          out,
          shape(click, strike(m, voice.sampleRate, 0.0005, 0.015)),
          (at + delay) * voice.sampleRate,
          level * voice.between(0.5, 1),
        )
      }
    }
    return out
  },
}

export const people: readonly ProceduralSound[] = [
  sneezing,
  coughing,
  cryingBaby,
  laughing,
  clapping,
  footsteps,
  doorKnock,
  keyboardTyping,
]
