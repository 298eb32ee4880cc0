import { Html, html } from './html.js'

/**
 * A part of a page: text is a paragraph, markup stands as it is, anything else renders itself. A block of one's own is a value with
 * `render`.
 */
export type Block = string | Html | RenderedBlock

/** A part of a page. */
export interface RenderedBlock {
  render(page: PageContext): Html | Promise<Html>
}

/** What a block may ask of the page it stands in. */
export interface PageContext {
  /** Rank of a heading here: 2 at the top of a page, 6 at most. */
  readonly level: number
  /** An id that no other element of the page has. */
  id(): string
  /** Says that a section begins here, for the list of contents. */
  heading(id: string, title: string): void
  /** Style rules; the same ones are kept once. */
  style(css: string): void
  /** Code to run with the element of this id and the data, once the page is there: the body of `(root, data) => { … }`. */
  script(code: string, id: string, data: unknown): void
  /** The same page, one rank of headings further down. */
  deeper(): PageContext
}

/** One after the other, so that ids follow the order of the page. */
export async function renderBlocks(blocks: readonly Block[], page: PageContext): Promise<Html> {
  const parts: Html[] = []
  for (const block of blocks) {
    if (typeof block === 'string') parts.push(html`<p>${block}</p>`)
    else parts.push(block instanceof Html ? block : await block.render(page))
  }
  return html`${parts}`
}
