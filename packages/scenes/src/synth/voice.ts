import type { Rng } from '@sonotext/core/base'

/** One performer of a sound: the sample rate and its own stream of random choices. Same seed, same sound. */
export class Voice {
  readonly sampleRate: number
  readonly rng: Rng

  constructor(rng: Rng, sampleRate: number) {
    this.rng = rng
    this.sampleRate = sampleRate
  }

  samples(seconds: number): number {
    return Math.max(1, Math.round(seconds * this.sampleRate))
  }

  between(low: number, high: number): number {
    return this.rng.between(low, high)
  }

  /** Between low and high so that every octave is as likely as every other. */
  octaves(low: number, high: number): number {
    return low * (high / low) ** this.rng.uniform()
  }

  /** value · (1 ± share) */
  around(value: number, share: number): number {
    return value * (1 + share * (2 * this.rng.uniform() - 1))
  }

  chance(probability: number): boolean {
    return this.rng.uniform() < probability
  }

  integer(low: number, high: number): number {
    return low + this.rng.int(high - low + 1)
  }

  /** White noise in [-1, 1). Xorshift from one word of the stream: sounds need millions of these. */
  white(count: number): Float32Array {
    const out = new Float32Array(count)
    let state = this.rng.uint32() | 1
    for (let i = 0; i < count; i++) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      out[i] = state / 2147483648
    }
    return out
  }

  /** Noise falling 3 dB an octave (Paul Kellet's filter), about as loud as white noise. */
  pink(count: number): Float32Array {
    const out = this.white(count)
    let b0 = 0
    let b1 = 0
    let b2 = 0
    for (let i = 0; i < count; i++) {
      const white = out[i]!
      b0 = 0.99765 * b0 + white * 0.099046
      b1 = 0.963 * b1 + white * 0.2965164
      b2 = 0.57 * b2 + white * 1.0526913
      out[i] = (b0 + b1 + b2 + white * 0.1848) * 0.4
    }
    return out
  }

  /** A slowly wandering curve in [-1, 1]: smooth steps between random values, `rate` of them a second. */
  wander(count: number, rate: number): Float32Array {
    const out = new Float32Array(count)
    const step = this.sampleRate / rate
    let from = this.between(-1, 1)
    let to = this.between(-1, 1)
    let start = -this.rng.uniform() * step
    for (let i = 0; i < count; i++) {
      while (i - start >= step) {
        start += step
        from = to
        to = this.between(-1, 1)
      }
      const u = (i - start) / step
      out[i] = from + (to - from) * u * u * (3 - 2 * u)
    }
    return out
  }
}
