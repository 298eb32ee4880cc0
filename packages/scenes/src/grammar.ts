import { checkOptions, expected, type Rng } from '@sonotext/core/base'
import { constructionsFor } from './constructions.js'
import type { SceneDescription } from './scene-description.js'
import { sentence } from './english.js'
import type { Lexeme } from './lexeme.js'
import { lexemeOf } from './lexicon.js'
import { Speaker } from './speaker.js'

/** A caption and the classes it names. */
export interface SceneCaption {
  readonly text: string
  readonly mentions: readonly string[]
}

/** Options of {@link captionScene}. */
export interface CaptionOptions {
  readonly rng: Rng
  /** How many; default 5. All differ. */
  readonly count?: number
  /** How to speak of a label; default: {@link lexemeOf}. */
  readonly lexeme?: (label: string) => Lexeme
}

/**
 * Different English captions of one scene. Each says what is heard, how often, in which order and what overlaps, in a construction
 * of its own: clauses joined by while, as, then, before, after; noun phrases; "with ... in the background". Every caption names every
 * class, except that the last one leaves out the background where two or more groups stand in front of it.
 */
export function captionScene(scene: SceneDescription, options: CaptionOptions): SceneCaption[] {
  checkOptions(options, 'captionScene')
  checkScene(scene)
  const { rng, count = 5, lexeme = lexemeOf } = options
  const speaker = new Speaker(rng, (label) => lexeme(label))
  const captions = new Map<string, SceneCaption>()
  const full = rng.shuffle(constructionsFor(scene))
  for (let attempt = 0; captions.size < count; attempt++) {
    if (attempt > 200 * count)
      throw expected(`at most ${captions.size} captions of this scene`, 'count', count)
    const terse =
      count > 1 && captions.size === count - 1 && scene.background !== null && scene.groups.length > 1
    const told = terse ? { ...scene, background: null } : scene
    const constructions = terse ? constructionsFor(told) : full
    const text = sentence(constructions[attempt % constructions.length]!(speaker, told))
    if (repeatsJoint(text)) continue
    const mentions = [
      ...(told.background === null ? [] : [told.background]),
      ...told.groups.map((group) => group.label),
    ]
    captions.set(text, { text, mentions })
  }
  return [...captions.values()]
}

/** "While rain falls, a dog barks while a clock ticks": correct, but nobody writes so. */
function repeatsJoint(text: string): boolean {
  return ['while', 'as', 'before', 'followed by', 'at the same time'].some(
    (joint) => (text.match(new RegExp(`\\b${joint}\\b`, 'gi')) ?? []).length > 1,
  )
}

function checkScene({ background, groups, relations }: SceneDescription): void {
  if (groups.length === 0 && background === null)
    throw expected('a background or a group', 'scene', 'neither')
  if (relations.length !== Math.max(0, groups.length - 1)) {
    throw expected(
      `${Math.max(0, groups.length - 1)} relations for ${groups.length} groups`,
      'relations',
      relations,
    )
  }
  const labels = [...groups.map((group) => group.label), ...(background === null ? [] : [background])]
  if (new Set(labels).size < labels.length)
    throw expected('every label once in a scene', 'groups', labels.join(', '))
  for (const { label, count } of groups) {
    if (count !== null && !(Number.isInteger(count) && count >= 1)) {
      throw expected('a count from 1 or null', `the count of ${label}`, count)
    }
  }
}
