import type { Comparison } from '../metrics/index.js'
import { dataTable, section } from './blocks.js'
import type { Block } from './block.js'
import { chart } from './chart.js'
import { intervalSpec } from './interval-chart.js'
import { renderPage } from './page.js'

/** A comparison with the base, and what is compared; `difference` is it less the base, `adjusted` is p for all of the page. */
export interface NamedComparison extends Omit<Comparison, 'exact'> {
  readonly name: string
}

const directions = { textToAudio: 'text → audio', audioToText: 'audio → text' } as const
const show = (x: number): string => (Number.isFinite(x) ? String(Number(x.toPrecision(3))) : '–')
const signed = (x: number): string => `${x < 0 ? '−' : '+'}${show(Math.abs(x))}`
const probability = (p: number): string => (p < 0.001 ? '<0.001' : p.toFixed(3))

/** What else {@link comparisonPage} is told. */
export interface ComparisonPageOptions {
  readonly base: string
  readonly split: string
  /** Whether names stand for several seeds each. */
  readonly seeds?: boolean
}

const byClip = 'Two-sided randomisation tests on paired queries, drawn by clip'
const overSeeds =
  'Two-sided tests of means over seeds, with what varies from seed to seed and from clip to clip'

/** Differences of systems from a base with their intervals, drawn measure by measure, and the tests beside them. */
export function comparisonPage(
  rows: readonly NamedComparison[],
  { base, split, seeds = false }: ComparisonPageOptions,
): Promise<string> {
  const names = [...new Set(rows.map(({ name }) => name))]
  const measures = [...new Set(rows.map(({ measure }) => measure))]
  const sure = rows.filter(({ adjusted }) => adjusted < 0.05)
  return renderPage({
    title: `${names.length + 1} ${seeds ? 'groups of models' : 'models'} compared`,
    summary: `Differences from ${base} on the split ${split}, on the same queries.`,
    blocks: [
      section('Differences', ...measures.map((measure) => differences(rows, measure, { names, seeds }))),
      section(
        'Tests',
        `${seeds ? overSeeds : byClip}; p (Holm) is adjusted for all ${rows.length} comparisons. ` +
          `Below 0.05: ${sure.length === 0 ? 'none' : sure.map(({ name, measure, direction }) => `${name}, ${measure} ${directions[direction]}`).join('; ')}.`,
        dataTable<NamedComparison>({
          caption: `Models compared with ${base}`,
          columns: [
            { title: 'model', cell: ({ name }) => name },
            { title: 'direction', align: 'left', cell: ({ direction }) => directions[direction] },
            { title: 'measure', align: 'left', cell: ({ measure }) => measure },
            { title: 'value', cell: ({ a }) => show(a) },
            { title: 'base', cell: ({ b }) => show(b) },
            { title: 'difference', cell: ({ difference }) => signed(difference) },
            { title: '95 %', cell: ({ interval }) => interval?.map(signed).join(' … ') ?? '–' },
            { title: 'p', cell: ({ p }) => probability(p) },
            { title: 'p (Holm)', cell: ({ adjusted }) => probability(adjusted) },
          ],
          rows,
        }),
      ),
    ],
  })
}

function differences(
  rows: readonly NamedComparison[],
  measure: string,
  { names, seeds }: { readonly names: readonly string[]; readonly seeds: boolean },
): Block {
  const own = rows.filter((row) => row.measure === measure)
  const points = own.map(({ name, direction, difference, interval }) => ({
    ...{ row: name, series: directions[direction], value: difference },
    low: interval?.[0] ?? difference,
    high: interval?.[1] ?? difference,
  }))
  return chart({
    title: measure,
    alt: `Differences of ${measure} with 95 % intervals: ${points.map(({ row, series, value }) => `${row} ${series} ${signed(value)}`).join(', ')}.`,
    spec: intervalSpec({
      ...{ points, rows: names, series: [...new Set(points.map(({ series }) => series))] },
      ...{ title: `difference of ${measure}`, height: Math.max(60, 44 * names.length), size: 60 },
    }),
    note: seeds
      ? '95 % intervals are for other seeds and other clips with their queries.'
      : '95 % intervals are percentiles of draws of clips with their queries.',
    table: null,
  })
}
