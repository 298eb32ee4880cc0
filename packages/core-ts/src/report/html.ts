/** Markup that is safe to put into a page: made by {@link html}, which escapes what is put into it. */
export class Html {
  readonly text: string

  /** Takes the markup as it is. For anything with values in it use {@link html}. */
  constructor(text: string) {
    this.text = text
  }
}

/** What may stand in `${…}` of {@link html}: text and numbers are escaped, markup is not, lists are joined, null is nothing. */
export type HtmlValue = string | number | Html | null | undefined | readonly HtmlValue[]

/** Markup with values in it: `` html`<b>${name}</b>` ``. Values may stand in the text of an element and in quoted attributes. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(parts.reduce((text, part, i) => text + markupOf(values[i - 1]) + part))
}

function markupOf(value: HtmlValue): string {
  if (value === null || value === undefined) return ''
  if (value instanceof Html) return value.text
  if (typeof value === 'string') return escapeHtml(value)
  return typeof value === 'number' ? String(value) : value.map(markupOf).join('')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  // A page may hold neither control characters nor half of a surrogate pair.
  return text
    .toWellFormed()

    .replaceAll(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g, '\ufffd')
    .replaceAll(/[&<>"']/g, (mark) => entities[mark]!)
}
