/** Occurrences of one class that belong together: "a dog barks twice". */
export interface DescribedGroup {
  readonly label: string
  /** How often it happens; null where occurrences cannot be told apart and are not counted. */
  readonly count: number | null
}

/** What happens in a scene, as far as a caption tells it. */
export interface SceneDescription {
  /** Class that lasts the whole scene, or null. */
  readonly background: string | null
  /** In the order of their onsets; no label twice, and not the background's. */
  readonly groups: readonly DescribedGroup[]
  /** relations[i]: whether group i+1 starts after group i has ended ('then') or while it lasts ('overlap'). */
  readonly relations: readonly ('then' | 'overlap')[]
}
