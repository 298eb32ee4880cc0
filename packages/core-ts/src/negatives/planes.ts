import type { Matrix } from '../base/matrix.js'

/** Names of the {@link Planes}. */
export const planeNames = ['audio-text', 'text-text', 'audio-audio'] as const

/** Scores a strategy or a guard may ask for by name; only what is declared in `needs` is computed. */
export type Plane = (typeof planeNames)[number]

/**
 * n × n scores of a batch of n pairs, larger = more similar, rows first: `data[i * n + j]`. In `audio-text` that is clip i and caption j, so the
 * diagonal has the pairs themselves; in `text-text` captions i and j, in `audio-audio` clips i and j.
 */
export type Planes = Readonly<Partial<Record<Plane, Matrix>>>
