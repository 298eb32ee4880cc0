export interface Column<Row> {
  readonly title: string
  readonly align: 'left' | 'right'
  readonly text: (row: Row) => string
}

/** A Markdown table that also reads well as plain text. */
export function markdownTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ text }) => text(row))),
  ]
  const widths = columns.map((_, c) => Math.max(3, ...cells.map((line) => [...line[c]!].length)))
  const line = (texts: readonly string[]): string =>
    `| ${texts.map((text, c) => padded(text, widths[c]!, columns[c]!.align)).join(' | ')} |`
  const rule = columns.map(({ align }, c) =>
    align === 'right' ? `${'-'.repeat(widths[c]! - 1)}:` : '-'.repeat(widths[c]!),
  )
  const [head, ...body] = cells
  return [line(head!), `| ${rule.join(' | ')} |`, ...body.map(line)].join('\n')
}

function padded(text: string, width: number, align: 'left' | 'right'): string {
  const blanks = ' '.repeat(width - [...text].length)
  return align === 'right' ? blanks + text : text + blanks
}

/** Three significant digits, no exponent. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 1e-9))))
  return value.toFixed(Math.min(decimals, 6))
}
