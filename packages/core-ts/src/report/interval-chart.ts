import { chartColors, type VegaLiteSpec } from './vega.js'

/** A value and its interval: in a row, in the colour of its series. */
export interface IntervalPoint {
  readonly row: string
  readonly series: string
  readonly value: number
  readonly low: number
  readonly high: number
}

/** What is drawn of values with intervals; a rule marks 0. */
export interface IntervalChartOptions {
  readonly points: readonly IntervalPoint[]
  /** Rows and series in their order. */
  readonly rows: readonly string[]
  readonly series: readonly string[]
  /** Of the axis. */
  readonly title: string
  /** Pixels. */
  readonly height: number
  /** Area of a point, square pixels. */
  readonly size: number
}

/** Values as points on lines that are their intervals, series next to each other in each row. */
export function intervalSpec(options: IntervalChartOptions): VegaLiteSpec {
  const { points, rows, series, title, height, size } = options
  const color = {
    field: 'series',
    title: null,
    scale: { domain: series, range: chartColors.series.slice(0, series.length) },
  }
  const place = {
    y: { field: 'row', type: 'nominal', title: null, sort: rows },
    yOffset: { field: 'series', sort: series },
  }
  return {
    height,
    data: { values: points },
    layer: [
      {
        data: { values: [{}] },
        mark: { type: 'rule', color: chartColors.muted },
        encoding: { x: { datum: 0, type: 'quantitative' } },
      },
      {
        mark: { type: 'rule', strokeWidth: 2 },
        encoding: {
          ...place,
          color,
          x: { field: 'low', type: 'quantitative', title },
          x2: { field: 'high' },
        },
      },
      {
        mark: { type: 'point', filled: true, size, opacity: 1 },
        encoding: { ...place, color, x: { field: 'value', type: 'quantitative' } },
      },
    ],
  }
}
