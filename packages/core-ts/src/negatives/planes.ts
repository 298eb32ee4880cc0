import type { Matrix } from '../base/matrix.js'

/** Scores a strategy or a guard may ask for; only what is declared in `needs` is computed. */
export type Plane = 'audio-text' | 'text-text' | 'audio-audio'

/** n × n scores, larger = more similar: 'audio-text' has clips as rows and captions as columns. */
export type Planes = Readonly<Partial<Record<Plane, Matrix>>>
