import { type Block, type RenderedBlock, renderBlocks } from './block.js'
import { Html, html, type HtmlValue } from './html.js'

/** Blocks under a heading of the right rank. */
export function section(title: string, ...blocks: readonly Block[]): RenderedBlock {
  return {
    async render(page) {
      const id = page.id()
      page.heading(id, title)
      const rank = new Html(`h${page.level}`)
      const body = await renderBlocks(blocks, page.deeper())
      return html`<section aria-labelledby="${id}"><${rank} id="${id}">${title}</${rank}>${body}</section>`
    },
  }
}

/** Blocks that are shown when they are asked for; what is folded is not printed. */
export function folded(summary: string, ...blocks: readonly Block[]): RenderedBlock {
  return {
    async render(page) {
      const body = await renderBlocks(blocks, page)
      return html`<details><summary>${summary}</summary>${body}</details>`
    },
  }
}

/** Options of {@link dataTable}. */
export interface TableOptions<Row> {
  /** What the table shows; readers of screens hear it first. */
  readonly caption: string
  /** The first column names the rows. */
  readonly columns: readonly TableColumn<Row>[]
  readonly rows: readonly Row[]
}

/** A column of a table. */
export interface TableColumn<Row> {
  readonly title: string
  /** Default: left for the first column, right for the others. */
  readonly align?: 'left' | 'right'
  cell(row: Row): HtmlValue
}

/** A table that scrolls by itself where the page is narrower. */
export function dataTable<Row>({ caption, columns, rows }: TableOptions<Row>): RenderedBlock {
  const side = ({ align }: TableColumn<Row>, c: number): string => align ?? (c === 0 ? 'left' : 'right')
  const head = columns.map(
    (column, c) => html`<th scope="col" class="${side(column, c)}">${column.title}</th>`,
  )
  const line = (row: Row): Html => {
    const cells = columns.map((column, c) =>
      c === 0
        ? html`<th scope="row" class="${side(column, c)}">${column.cell(row)}</th>`
        : html`<td class="${side(column, c)}">${column.cell(row)}</td>`,
    )
    return html`<tr>${cells}</tr>
`
  }
  return {
    render: () =>
      html`<div class="table" role="region" tabindex="0" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${rows.map(line)}</tbody>
</table></div>
`,
  }
}

/** Options of {@link interactive}. */
export interface InteractiveOptions<Data> {
  /** What is there before the script runs, and without it. */
  readonly markup: Html
  /**
   * Body of a function `(root, data) => { … }`: the element around the markup, and the data. Written once into the page for all parts that
   * have the same; a text of the programme, never made of values.
   */
  readonly script: string
  /** Handed to the script; JSON. */
  readonly data?: Data
  /** Rules for all of the page: begin selectors with a class of your own. */
  readonly style?: string
}

/** A part with a script of its own, such as a player. */
export function interactive<Data>(options: InteractiveOptions<Data>): RenderedBlock {
  const { markup, script, data, style } = options
  return {
    render(page) {
      const id = page.id()
      page.script(script, id, data ?? null)
      if (style !== undefined) page.style(style)
      return html`<div class="interactive" id="${id}">${markup}</div>`
    },
  }
}
