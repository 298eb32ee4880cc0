import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { openBackend } from '../backend/index.js'
import { frontEnd, type FrontEndOptions } from './front-ends.js'
import { patchesOf, patchShape } from './patches.js'

// Made by tools/golden/front_ends.py.
const { cases } = JSON.parse(
  readFileSync(new URL('../../test-data/audio/front-ends.json', import.meta.url), 'utf8'),
) as {
  cases: {
    frontEnd: FrontEndOptions
    sampleRate: number
    samples: number
    frames: number[]
    /** [patches][frames][bands] */
    patches: number[][][]
  }[]
}

/** As `signal` of the maker. */
function signal(sampleRate: number, samples: number): Float32Array {
  let state = 1
  return Float32Array.from({ length: samples }, (_, i) => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0
    const t = i / sampleRate
    const noise = (state >>> 8) / 2 ** 24 - 0.5
    return 0.3 * noise * Math.exp(-t) + 0.2 * Math.sin(2 * Math.PI * (100 * t + 900 * t ** 2))
  })
}

it.each(cases.map((one) => [JSON.stringify(one.frontEnd), one] as const))(
  '%s gives what its reference gives',
  async (_, { frontEnd: options, sampleRate, samples, frames, patches }) => {
    const front = frontEnd(options)
    expect(front.sampleRate).toBe(sampleRate)
    const { bands } = patchShape(front)
    const audio = { sampleRate, blocks: [signal(sampleRate, samples)] }
    const found: Float32Array[] = []
    for await (const patch of patchesOf(front, audio, { backend: openBackend() })) found.push(patch)
    expect(found).toHaveLength(patches.length)
    // Six digits are kept of the reference: decibels reach −100, logarithms −7.
    const tolerance = options.preset === 'clap' || options.preset === 'panns' ? 1e-4 : 1e-5
    for (const [p, patch] of patches.entries())
      for (const [f, values] of patch.entries())
        for (const [b, value] of values.entries())
          expect(
            Math.abs(found[p]![frames[f]! * bands + b]! - value),
            `patch ${p}, frame ${frames[f]}, band ${b}`,
          ).toBeLessThan(tolerance)
  },
)
