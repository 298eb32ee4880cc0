import { createHash } from 'node:crypto'
import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { type Block, type PageContext, renderBlocks } from './block.js'
import { Html, html } from './html.js'
import { pageStyle } from './style.js'

/** Options of {@link renderPage}. */
export interface PageOptions {
  readonly title: string
  /** What the page says, in a sentence or two under the title. */
  readonly summary?: string | Html
  readonly blocks: readonly Block[]
  /** How the page was made, at its end. */
  readonly footer?: string | Html
  /** A list of the sections at the top. Default false. */
  readonly contents?: boolean
  /** Default en. */
  readonly language?: string
  /**
   * What scripts of the page may reach: nothing, or the server that the page comes from. Sound and pictures inside the page are always
   * allowed. Default none.
   */
  readonly network?: 'none' | 'same-origin'
}

/**
 * A page in one file: style, charts, data and scripts stand in it, nothing is loaded, and a content security policy sees to that. It reads
 * well in light and dark, narrow and wide, and in print. The same blocks give the same text.
 */
export async function renderPage(options: PageOptions): Promise<string> {
  checkOptions(options, 'renderPage')
  const { title, summary, blocks, footer, contents = false, language = 'en', network = 'none' } = options
  if (title.trim() === '') throw expected('a title', 'title', title)
  const page = new Page()
  const body = await renderBlocks(blocks, page.context(2))
  const lead = summary === undefined ? null : html`<p class="summary">${summary}</p>`
  const item = ({ id, title: name }: Heading): Html => html`<li><a href="#${id}">${name}</a></li>`
  const list = contents ? html`<nav aria-label="Contents"><ul>${page.headings.map(item)}</ul></nav>` : null
  const foot = footer === undefined ? null : html`<footer>${footer}</footer>`
  const scripts = page.scripts()
  return html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(scripts, network)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${new Html([pageStyle, ...page.styles].join('\n'))}</style>
</head>
<body>
<main>
<header><h1>${title}</h1>${lead}${list}</header>
${body}
${foot}
</main>
${page.data()}
${scripts.map((code) => html`<script>${new Html(code)}</script>`)}
</body>
</html>
`.text
}

/** Only the scripts that stand in the page run, and they reach nothing but what is allowed. */
function policy(scripts: readonly string[], network: 'none' | 'same-origin'): string {
  const hashes = scripts.map((code) => `'sha256-${createHash('sha256').update(code).digest('base64')}'`)
  const own = network === 'same-origin' ? " 'self'" : ''
  return [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    `script-src ${hashes.length > 0 ? hashes.join(' ') : "'none'"}`,
    `img-src data: blob:${own}`,
    `media-src data: blob:${own}`,
    `connect-src ${own === '' ? "'none'" : own.trim()}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
}

interface Heading {
  readonly id: string
  readonly title: string
}

interface ScriptUse {
  readonly id: string
  readonly data: unknown
}

/** What blocks leave with a page besides their markup. */
class Page {
  readonly headings: Heading[] = []
  readonly styles = new Set<string>()
  readonly #uses = new Map<string, ScriptUse[]>()
  #ids = 0

  context(level: number): PageContext {
    return {
      level,
      id: () => `part-${++this.#ids}`,
      heading: (id, title) => void (level === 2 && this.headings.push({ id, title })),
      style: (css) => void this.styles.add(refusing(css, /<\/style/i, 'style')),
      script: (code, id, data) => {
        const uses = this.#uses.get(refusing(code, /<\/script|<!--/i, 'script')) ?? []
        this.#uses.set(code, [...uses, { id, data }])
      },
      deeper: () => this.context(Math.min(level + 1, 6)),
    }
  }

  /** Data stand apart from the code, so that nothing in them is ever run. */
  data(): Html[] {
    return [...this.#uses.values()].flat().map(({ id, data }) => {
      const json = new Html(JSON.stringify(data).replaceAll('<', '\\u003c'))
      return html`<script type="application/json" id="${id}-data">${json}</script>`
    })
  }

  scripts(): string[] {
    return [...this.#uses].map(([code, uses]) => {
      const ids = JSON.stringify(uses.map(({ id }) => id))
      return `'use strict'
for (const id of ${ids}) {
  const data = JSON.parse(document.getElementById(id + '-data').textContent);
  ((root, data) => {
${code}
  })(document.getElementById(id), data)
}
`
    })
  }
}

function refusing(text: string, end: RegExp, what: string): string {
  const found = end.exec(text)
  if (found !== null) throw expected(`a ${what} that does not end its own element`, what, found[0])
  return text
}
