import { type Block, chart, dataTable, folded, type RenderedBlock, section } from '@sonotext/core/report'
import { type KeptCost, madeText } from './cells.js'
import type { CostCell } from './cost.js'
import { meanQuality, ranked, type SettingSummary, type VariantSummary } from './summary.js'

const ms = (value: number): string => (value < 1 ? value.toFixed(2) : value.toFixed(0))

/** Parts of a step, in the order in which they are done. */
const parts = [
  ['encoder', 'encoder'],
  ['scores', 'scores'],
  ['planes', 'planes'],
  ['choosing', 'choosing'],
  ['loss, backward', 'lossAndBackward'],
] as const

/** What strategies cost, beside what they give; a section for each device that was measured. */
export function costSections(
  costs: readonly KeptCost[],
  { settings }: { readonly settings: readonly SettingSummary[] },
): Block[] {
  const rows = settings.find(({ setting }) => setting.name === 'main')?.rows ?? []
  const devices = [...Map.groupBy(costs, ({ device }) => device)]
  return devices.map(([device, cells]) =>
    section(
      devices.length === 1 ? 'Cost' : `Cost (${device})`,
      'A training step at the size of the thesis (32 clips of 10 s, vectors of 300), in milliseconds, and what changes when one number of it does. Cells with a star were not run but extrapolated: more than 4 GiB, or 20 s a step.',
      `Measured by ${[...new Set(cells.map(({ made }) => madeText(made)))].join('; ')}.`,
      costChart(cells, rows),
      baseTable(cells),
      folded('One number changed at a time', axesTable(cells)),
    ),
  )
}

function costChart(cells: readonly CostCell[], rows: readonly VariantSummary[]): RenderedBlock {
  const quality = new Map(ranked(rows).map((row) => [row.variant, meanQuality(row)]))
  const base = cells
    .filter(({ axis }) => axis === 'base')
    .sort((a, b) => (quality.get(b.strategy) ?? 0) - (quality.get(a.strategy) ?? 0))
  const nameOf = ({ strategy }: CostCell): string => {
    const own = quality.get(strategy)
    return own === undefined ? strategy : `${strategy} ${own.toFixed(3)}`
  }
  const points = base.flatMap((cell) =>
    parts.map(([part, key], order) => ({ strategy: nameOf(cell), part, order, ms: cell[key] })),
  )
  return chart({
    title: 'Cost against quality: a whole step by its parts, the best strategy (mAP@10) first',
    alt: `Milliseconds of a step, best strategy first: ${base.map((cell) => `${nameOf(cell)}: ${ms(cell.total)} ms`).join(', ')}.`,
    table: null,
    spec: {
      data: { values: points },
      height: { step: 20 },
      mark: { type: 'bar' },
      encoding: {
        y: { field: 'strategy', type: 'nominal', title: null, sort: null },
        x: { field: 'ms', type: 'quantitative', title: 'milliseconds of a step', stack: 'zero' },
        color: { field: 'part', type: 'nominal', title: null, sort: parts.map(([part]) => part) },
        order: { field: 'order', type: 'quantitative' },
      },
    },
  })
}

function baseTable(cells: readonly CostCell[]): Block {
  return dataTable<CostCell>({
    caption: 'Milliseconds of a step at the base size',
    columns: [
      { title: 'strategy', cell: (cell) => cell.strategy },
      ...parts.map(([title, key]) => ({ title, cell: (cell: CostCell) => ms(cell[key]) })),
      { title: 'whole step', cell: (cell) => ms(cell.total) },
      { title: 'MiB', cell: (cell) => (cell.bytes / 2 ** 20).toFixed(0) },
    ],
    rows: cells.filter(({ axis }) => axis === 'base'),
  })
}

function axesTable(cells: readonly CostCell[]): Block {
  return dataTable<CostCell>({
    caption: 'Milliseconds of a step',
    columns: [
      { title: 'strategy', cell: (cell) => cell.strategy },
      { title: 'pairs', cell: (cell) => cell.batch },
      { title: 'seconds', cell: (cell) => cell.seconds },
      { title: 'vector', cell: (cell) => cell.dim },
      { title: 'without encoder', cell: (cell) => ms(cell.total - cell.encoder) },
      { title: 'whole step', cell: (cell) => `${ms(cell.total)}${cell.extrapolated ? ' *' : ''}` },
      { title: 'MiB', cell: (cell) => (cell.bytes / 2 ** 20).toFixed(0) },
    ],
    rows: cells.filter(({ axis }) => axis !== 'base'),
  })
}
