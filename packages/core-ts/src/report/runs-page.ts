import { aimOf, type LogLine } from '../train/index.js'
import { dataTable, section } from './blocks.js'
import type { Block } from './block.js'
import { chart } from './chart.js'
import { renderPage } from './page.js'

/** What a page about runs needs of one. */
export interface RunHistory {
  readonly name: string
  readonly log: readonly LogLine[]
  /** Its configuration by dotted key. */
  readonly keys: ReadonlyMap<string, unknown>
  /** What it was trained with, a sentence for every start. Default none. */
  readonly madeWith?: readonly string[]
  /** Names of the losses of its validation, `loss` and yardsticks: without `validation.`. */
  readonly losses: ReadonlySet<string>
}

interface Point {
  readonly run: string
  readonly epoch: number
  readonly value: number
}

const show = (value: number): string => String(Number(value.toPrecision(4)))

/**
 * Curves and comparisons of training runs on one page: every number that was logged epoch by epoch, the best of each, what differs in the
 * configurations, and what training warned of.
 */
export function runsPage(
  runs: readonly RunHistory[],
  { footer }: { readonly footer?: string } = {},
): Promise<string> {
  const names = [
    ...new Set(runs.flatMap(({ log }) => epochsOf(log).flatMap(({ values }) => Object.keys(values)))),
  ]
  const warned = runs.flatMap(({ name, log }) =>
    log.flatMap(({ kind, epoch, message }) =>
      kind === 'warning' && message !== undefined ? [{ run: name, epoch, message }] : [],
    ),
  )
  return renderPage({
    title: runs.length === 1 ? `Training run ${runs[0]!.name}` : `${runs.length} training runs`,
    summary: `Epochs so far: ${runs.map(({ name, log }) => `${name} ${epochsOf(log).at(-1)?.epoch ?? 0}`).join(', ')}.`,
    blocks: [
      bestTable(runs, names),
      ...(runs.length > 1 ? [differences(runs)] : []),
      section('Curves', ...names.map((name) => curve(runs, name))),
      ...madeWith(runs),
      ...(warned.length === 0
        ? []
        : [
            section(
              'Warnings',
              dataTable<(typeof warned)[number]>({
                caption: 'What training warned of',
                columns: [
                  { title: 'run', cell: ({ run }) => run },
                  { title: 'epoch', cell: ({ epoch }) => show(epoch) },
                  { title: 'warning', align: 'left', cell: ({ message }) => message },
                ],
                rows: warned,
              }),
            ),
          ]),
    ],
    ...(footer === undefined ? {} : { footer }),
  })
}

function madeWith(runs: readonly RunHistory[]): Block[] {
  const rows = runs.flatMap(({ name, madeWith: starts = [] }) => starts.map((start) => ({ name, start })))
  if (rows.length === 0) return []
  const table = dataTable<(typeof rows)[number]>({
    caption: 'Every time that training was started or gone on with',
    columns: [
      { title: 'run', cell: ({ name }) => name },
      { title: 'trained with', align: 'left', cell: ({ start }) => start },
    ],
    rows,
  })
  return [section('Made with', table)]
}

function epochsOf(log: readonly LogLine[]): LogLine[] {
  return log.filter(({ kind }) => kind === 'epoch')
}

function pointsOf(runs: readonly RunHistory[], name: string): Point[] {
  return runs.flatMap(({ name: run, log }) =>
    epochsOf(log).flatMap(({ epoch, values }) =>
      values[name] === undefined ? [] : [{ run, epoch, value: values[name] }],
    ),
  )
}

function bestOf(points: readonly Point[], aim: 'min' | 'max'): Point | undefined {
  const better = (a: Point, b: Point): boolean => (aim === 'min' ? a.value < b.value : a.value > b.value)
  return points.reduce<Point | undefined>(
    (best, point) => (best === undefined || better(point, best) ? point : best),
    undefined,
  )
}

function bestTable(runs: readonly RunHistory[], names: readonly string[]): Block {
  const losses = new Set(runs.flatMap((run) => [...run.losses]))
  const aimed = names.flatMap((name) => {
    const aim = aimOf(name, losses)
    return aim === null ? [] : [{ name, aim }]
  })
  return section(
    'Best of each number',
    '↓ is the better the lower, as losses and the median rank are, ↑ the better the higher. Signs of collapse have no best. In brackets: the epoch.',
    dataTable<RunHistory>({
      caption: 'Best value over the epochs',
      columns: [
        { title: 'run', cell: ({ name }) => name },
        ...aimed.map(({ name, aim }) => ({
          title: `${name} ${aim === 'min' ? '↓' : '↑'}`,
          cell: (run: RunHistory) => {
            const best = bestOf(pointsOf([run], name), aim)
            return best === undefined ? '–' : `${show(best.value)} (${show(best.epoch)})`
          },
        })),
      ],
      rows: runs,
    }),
  )
}

function differences(runs: readonly RunHistory[]): Block {
  const keys = [...new Set(runs.flatMap(({ keys: own }) => [...own.keys()]))]
  const text = (run: RunHistory, key: string): string => JSON.stringify(run.keys.get(key)) ?? '–'
  const differing = keys.filter((key) => new Set(runs.map((run) => text(run, key))).size > 1)
  if (differing.length === 0) return section('Configuration', 'The runs are configured alike.')
  return section(
    'Configuration',
    dataTable<string>({
      caption: 'Keys that differ',
      columns: [
        { title: 'key', cell: (key) => key },
        ...runs.map((run) => ({ title: run.name, cell: (key: string) => text(run, key) })),
      ],
      rows: differing,
    }),
  )
}

function curve(runs: readonly RunHistory[], name: string): Block {
  const points = pointsOf(runs, name)
  const ends = runs.flatMap((run) => {
    const last = pointsOf([run], name).at(-1)
    return last === undefined ? [] : [`${run.name} ${show(last.value)}`]
  })
  return chart({
    title: name,
    alt: `${name} over the epochs; at the end: ${ends.join(', ')}.`,
    table: {
      caption: name,
      columns: [
        { title: 'run', cell: ({ run }) => run },
        { title: 'epoch', cell: ({ epoch }) => show(epoch) },
        { title: name, cell: ({ value }) => show(value) },
      ],
      rows: points,
    },
    spec: {
      data: { values: points },
      height: 220,
      mark: { type: 'line', point: { size: 20 } },
      encoding: {
        x: { field: 'epoch', type: 'quantitative', axis: { format: 'd', tickMinStep: 1 } },
        y: { field: 'value', type: 'quantitative', title: name, scale: { zero: false } },
        color: { field: 'run', type: 'nominal', title: null, sort: runs.map((run) => run.name) },
      },
    },
  })
}
