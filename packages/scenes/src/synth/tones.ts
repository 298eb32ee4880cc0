const TAU = 2 * Math.PI

/** Sine whose frequency (Hz) follows a curve. */
export function sine(frequency: Float32Array, sampleRate: number): Float32Array {
  const out = new Float32Array(frequency.length)
  let phase = 0
  for (let i = 0; i < out.length; i++) {
    out[i] = Math.sin(TAU * phase)
    phase += frequency[i]! / sampleRate
    phase -= Math.floor(phase)
  }
  return out
}

/** Band-limited sawtooth (polyBLEP) whose frequency follows a curve: all harmonics, the source of voices and motors. */
export function saw(frequency: Float32Array, sampleRate: number): Float32Array {
  const out = new Float32Array(frequency.length)
  let phase = 0
  for (let i = 0; i < out.length; i++) {
    const step = frequency[i]! / sampleRate
    out[i] = 2 * phase - 1 - blep(phase, step)
    phase += step
    phase -= Math.floor(phase)
  }
  return out
}

/** Band-limited square wave; `duty` is the share of the period that is high. */
export function pulse(frequency: Float32Array, sampleRate: number, duty = 0.5): Float32Array {
  const out = new Float32Array(frequency.length)
  let phase = 0
  for (let i = 0; i < out.length; i++) {
    const step = frequency[i]! / sampleRate
    const fall = phase + 1 - duty
    out[i] = (phase < duty ? 1 : -1) + blep(phase, step) - blep(fall - Math.floor(fall), step)
    phase += step
    phase -= Math.floor(phase)
  }
  return out
}

/** Rounds off the step at phase 0 over one sample to either side. */
function blep(phase: number, step: number): number {
  if (phase < step) {
    const t = phase / step
    return t + t - t * t - 1
  }
  if (phase > 1 - step) {
    const t = (phase - 1) / step
    return t * t + t + t + 1
  }
  return 0
}

/** A way in which a struck body rings. */
export interface Mode {
  /** Hz; modes above the Nyquist frequency are left out. */
  readonly frequency: number
  readonly gain: number
  /** Seconds to fall by 60 dB. */
  readonly decay: number
}

/** Sum of decaying sines: bells, wood, glass, membranes. */
export function ring(count: number, sampleRate: number, modes: readonly Mode[]): Float32Array {
  const out = new Float32Array(count)
  for (const { frequency, gain, decay } of modes) {
    if (frequency > 0.48 * sampleRate) continue
    const radius = 10 ** (-3 / (decay * sampleRate))
    const w = (TAU * frequency) / sampleRate
    const turn = 2 * radius * Math.cos(w)
    const shrink = radius * radius
    let y1 = gain * radius * Math.sin(w)
    let y2 = 0
    // Stops once the mode is 100 dB down.
    const end = Math.min(count, Math.ceil((decay * sampleRate * 5) / 3))
    for (let i = 1; i < end; i++) {
      out[i]! += y1
      const y = turn * y1 - shrink * y2
      y2 = y1
      y1 = y
    }
  }
  return out
}

/** Plucked string (Karplus and Strong): a burst of noise in a damped delay line. `burst` is read for one period. */
export function pluck(
  count: number,
  sampleRate: number,
  frequency: number,
  damping: number,
  burst: Float32Array,
): Float32Array {
  const out = new Float32Array(count)
  const period = Math.max(2, sampleRate / frequency - 0.5)
  const delay = Math.floor(period)
  const fraction = period - delay
  for (let i = 0; i < count; i++) {
    if (i <= delay + 1) {
      out[i] = burst[i % burst.length]!
    } else {
      const a = (1 - fraction) * out[i - delay]! + fraction * out[i - delay - 1]!
      const before = i - delay - 2 >= 0 ? out[i - delay - 2]! : 0
      const b = (1 - fraction) * out[i - delay - 1]! + fraction * before
      out[i] = damping * 0.5 * (a + b)
    }
  }
  return out
}
