import type { RenderedBlock } from './block.js'
import { dataTable, folded, type TableOptions } from './blocks.js'
import { Html, html } from './html.js'
import { chartWidths, drawChart, type VegaLiteSpec } from './vega.js'

/** Options of {@link chart}. */
export interface ChartOptions<Row = unknown> {
  /** Says what is seen, in a line above the chart. */
  readonly title: string
  /** What somebody who cannot see the chart should know of it, in a sentence or two. */
  readonly alt: string
  /**
   * A single view or layers, whose width the page sets; of something composed (facets, rows) a function of the width in pixels that it may
   * take.
   */
  readonly spec: VegaLiteSpec | ((width: number) => VegaLiteSpec)
  /** The numbers of the chart, folded below it; null where a table beside it has them. */
  readonly table: TableOptions<Row> | null
  /** What belongs below the chart, such as what its intervals are. */
  readonly note?: string | Html
}

/** A chart as SVG, drawn at two widths of which the page shows the one that fits. */
export function chart<Row>({ title, alt, spec, table, note }: ChartOptions<Row>): RenderedBlock {
  return {
    async render(page) {
      const id = page.id()
      const drawings: Html[] = []
      for (const [name, width] of Object.entries(chartWidths)) {
        const svg = await drawChart(spec, width, `${id}-${name}`)
        drawings.push(html`<div class="${name}" role="img" aria-label="${alt}">${new Html(svg)}</div>`)
      }
      const numbers = table && (await folded('Numbers of this chart', dataTable(table)).render(page))
      const below = note === undefined ? null : html`<p class="note">${note}</p>`
      return html`<figure aria-labelledby="${id}"><figcaption id="${id}">${title}</figcaption>${drawings}${below}${numbers}</figure>
`
    },
  }
}
