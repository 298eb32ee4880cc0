import { clustersOf, type Evaluation, mean as meanOf } from '@sonotext/core/metrics'
import { type Column, markdownTable } from './table.js'

/** A measure of one direction under several seeds. */
export interface SeedRow {
  readonly direction: string
  readonly name: string
  readonly values: readonly number[]
  readonly chance: number
}

/** Rows of both directions of what each seed gave. */
export function seedRows(
  evaluations: readonly Omit<Evaluation, 'perQuery'>[],
  measures: readonly string[],
): SeedRow[] {
  return (['textToAudio', 'audioToText'] as const).flatMap((direction) =>
    measures.map((name) => ({
      name,
      direction: direction === 'textToAudio' ? 'text → audio' : 'audio → text',
      values: evaluations.map((evaluation) => evaluation[direction]![name]!),
      chance: evaluations[0]!.chance[direction]![name]!,
    })),
  )
}

/** A table with a column for each seed, their mean with its interval, and chance beside it. */
export function seedTable(seeds: readonly number[], rows: readonly SeedRow[]): string {
  const column = (
    title: string,
    text: (row: SeedRow) => string,
    align: 'left' | 'right' = 'right',
  ): Column<SeedRow> => ({ title, align, text })
  return markdownTable(
    [
      column('direction', ({ direction }) => direction, 'left'),
      column('measure', ({ name }) => name, 'left'),
      ...seeds.map((seed, index) => column(`seed ${seed}`, ({ values }) => values[index]!.toFixed(3))),
      column('mean ± 95 %', ({ values }) => meanText(values)),
      column('chance', ({ chance }) => chance.toFixed(4)),
      column('× chance', ({ values, chance }) => (mean(values) / chance).toFixed(1)),
    ],
    rows,
  )
}

/** The mean over the seeds with the half width of its 95 % interval. */
export function meanText(values: readonly number[]): string {
  return values.length === 1
    ? values[0]!.toFixed(3)
    : `${mean(values).toFixed(3)} ± ${halfWidth(values).toFixed(3)}`
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Half width of the 95 % interval of the mean over two seeds or more, Student's t. */
export function halfWidth(values: readonly number[]): number {
  const [low, high] = meanOf.byCluster(Float64Array.from(values), clustersOf(values.map((_, i) => i)))!
  return (high - low) / 2
}
