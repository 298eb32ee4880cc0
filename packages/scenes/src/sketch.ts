import { checkOptions, expected, type Rng } from '@sonotext/core/base'
import type { SoundBank } from './bank.js'
import type { SceneDescription } from './scene-description.js'

/** What scenes are made of. Every field has a default. */
export interface SceneOptions {
  /** Length of a scene in seconds; default 10. */
  readonly duration?: number
  /** Hz; default 22050. */
  readonly sampleRate?: number
  /** Fewest and most groups of events in front; default 1 to 3. */
  readonly groups?: readonly [number, number]
  /** Share of scenes with a background; default 0.7. */
  readonly background?: number
  /** Most repetitions of a counted event; default 4. */
  readonly repeats?: number
  /** Chance that a group begins before the one in front of it has ended; default 0.3. */
  readonly overlap?: number
  /** Level of events over the background in dB, drawn evenly from this range; default 6 to 18. */
  readonly gain?: readonly [number, number]
  /** Captions a scene; default 5. */
  readonly captions?: number
  /**
   * Share of scenes in which one thing is heard alone: what is learned from mixtures alone does not serve single recordings. Default 0.
   */
  readonly single?: number
}

export type ResolvedSceneOptions = { readonly [K in keyof SceneOptions]-?: NonNullable<SceneOptions[K]> }

/** Defaults filled in. Throws INVALID_ARGUMENT naming the field that is out of range. */
export function sceneOptions(options: SceneOptions = {}): ResolvedSceneOptions {
  checkOptions(options, 'sceneOptions')
  const all = {
    duration: options.duration ?? 10,
    sampleRate: options.sampleRate ?? 22_050,
    groups: options.groups ?? ([1, 3] as const),
    background: options.background ?? 0.7,
    repeats: options.repeats ?? 4,
    overlap: options.overlap ?? 0.3,
    gain: options.gain ?? ([6, 18] as const),
    captions: options.captions ?? 5,
    single: options.single ?? 0,
  }
  const whole = (value: number, from: number, to: number) =>
    Number.isInteger(value) && value >= from && value <= to
  const [fewest, most] = all.groups
  const [softest, loudest] = all.gain
  if (!(all.duration >= 2 && all.duration <= 600))
    throw expected('2 to 600 seconds', 'duration', all.duration)
  if (!whole(all.sampleRate, 8000, 192_000)) throw expected('8000 to 192000 Hz', 'sampleRate', all.sampleRate)
  if (!whole(fewest, 0, 8) || !whole(most, Math.max(1, fewest), 8)) {
    throw expected('two ascending whole numbers up to 8', 'groups', all.groups.join(', '))
  }
  for (const name of ['background', 'overlap', 'single'] as const) {
    if (!(all[name] >= 0 && all[name] <= 1)) throw expected('a share from 0 to 1', name, all[name])
  }
  if (!whole(all.repeats, 1, 10)) throw expected('a whole number from 1 to 10', 'repeats', all.repeats)
  if (!(softest >= -20 && loudest >= softest && loudest <= 40)) {
    throw expected('two ascending numbers from -20 to 40 dB', 'gain', all.gain.join(', '))
  }
  if (!whole(all.captions, 1, 20)) throw expected('a whole number from 1 to 20', 'captions', all.captions)
  return all
}

/** Once, twice, three times, four times and more often: how likely. */
const repeatWeights = [0.45, 0.3, 0.17, 0.08]

/**
 * What happens in each of `count` scenes of a split, before any sound is picked. Scenes of one split differ: of several draws the one
 * is kept whose classes, counts and order have been used least.
 */
export function sketchScenes(
  bank: SoundBank,
  split: string,
  count: number,
  options: ResolvedSceneOptions,
  rng: Rng,
): SceneDescription[] {
  const labels = bank.labels(split)
  const roles = new Map(labels.map((label) => [label, bank.lexeme(label)]))
  // Classes that can be both take either part half as often, so that all classes are heard about equally often.
  const pool = (role: 'event' | 'texture') =>
    labels.flatMap((label) => {
      const its = roles.get(label)!.role
      return its === role ? [label, label] : its === 'both' ? [label] : []
    })
  const front = pool('event')
  const under = pool('texture')
  const counted = (label: string) => roles.get(label)!.unit !== null
  const used = new Map<string, number>()
  const uses = (key: string) => used.get(key) ?? 0
  return Array.from({ length: count }, (_, i) => {
    const draws = rng.fork(i)
    // Spread evenly, so that the share holds for any number of scenes.
    const alone = Math.floor((i + 1) * options.single) > Math.floor(i * options.single)
    let best: SceneDescription | undefined
    let bestUses = [Infinity, Infinity] as readonly [number, number]
    for (let attempt = 0; attempt < 24 && bestUses[0] + bestUses[1] > 0; attempt++) {
      const scene = alone
        ? single(front, under, counted, options.repeats, draws)
        : sketch(front, under, counted, options, draws)
      const [exact, alike] = [uses(signature(scene)), uses(labelsOf(scene))]
      if (exact < bestUses[0] || (exact === bestUses[0] && alike < bestUses[1])) {
        best = scene
        bestUses = [exact, alike]
      }
    }
    for (const key of [signature(best!), labelsOf(best!)]) used.set(key, uses(key) + 1)
    return best!
  })
}

function sketch(
  front: readonly string[],
  under: readonly string[],
  counted: (label: string) => boolean,
  { groups, background, repeats, overlap }: ResolvedSceneOptions,
  rng: Rng,
): SceneDescription {
  const wanted = front.length === 0 ? 0 : groups[0] + rng.int(groups[1] - groups[0] + 1)
  const withBackground = under.length > 0 && (wanted === 0 || rng.uniform() < background)
  const ground = withBackground ? rng.pick(under) : null
  const open = rng.shuffle(front.filter((label) => label !== ground))
  const chosen = [...new Set(open)].slice(0, wanted)
  const relations: ('then' | 'overlap')[] = []
  // Never two overlaps in a row: then a group would have to be told apart from two others at once.
  for (let i = 1; i < chosen.length; i++) {
    relations.push(relations[i - 2] !== 'overlap' && rng.uniform() < overlap ? 'overlap' : 'then')
  }
  return {
    background: chosen.length === 0 ? (ground ?? rng.pick(under)) : ground,
    groups: chosen.map((label) => ({ label, count: counted(label) ? repetitions(repeats, rng) : null })),
    relations,
  }
}

/** One class and nothing else. */
function single(
  front: readonly string[],
  under: readonly string[],
  counted: (label: string) => boolean,
  repeats: number,
  rng: Rng,
): SceneDescription {
  const place = rng.int(front.length + under.length)
  const label = front[place]
  if (label === undefined) return { background: under[place - front.length]!, groups: [], relations: [] }
  const count = counted(label) ? repetitions(repeats, rng) : null
  return { background: null, groups: [{ label, count }], relations: [] }
}

function repetitions(most: number, rng: Rng): number {
  const weights = Array.from({ length: most }, (_, i) => repeatWeights[i] ?? 0.04)
  let rest = rng.uniform() * weights.reduce((sum, weight) => sum + weight, 0)
  const count = weights.findIndex((weight) => (rest -= weight) < 0)
  return count < 0 ? most : count + 1
}

/** Everything that captions can tell of a scene. */
export function signature({ background, groups, relations }: SceneDescription): string {
  return JSON.stringify([background, groups.map(({ label, count }) => [label, count]), relations])
}

function labelsOf({ background, groups }: SceneDescription): string {
  return `labels ${JSON.stringify([background, groups.map(({ label }) => label).sort()])}`
}
