import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import * as report from './index.js'
import {
  chart,
  chartColors,
  dataTable,
  folded,
  Html,
  html,
  interactive,
  renderPage,
  section,
} from './index.js'

const evil = `</script><img src=x onerror='alert(1)'>"&`
const lines = {
  data: {
    values: [1, 2, 3].flatMap((x) => ['a', 'b'].map((s) => ({ x, y: x * s.charCodeAt(0), s }))),
  },
  mark: { type: 'line', clip: true },
  encoding: {
    x: { field: 'x', type: 'quantitative' },
    y: { field: 'y', type: 'quantitative' },
    color: { field: 's', type: 'nominal' },
  },
}
const figure = (spec: Parameters<typeof chart>[0]['spec'] = lines) =>
  chart({ title: 'Lines', alt: 'Two lines rise', spec, table: null })
const pageOf = (...blocks: readonly report.Block[]) => renderPage({ title: 'T', blocks })

describe('markup', () => {
  it('escapes values, and not the markup around them', () => {
    expect(html`<b title="${'"'}">${evil}</b>`.text).toBe(
      '<b title="&quot;">&lt;/script&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&quot;&amp;</b>',
    )
    expect(html`${[1, null, html`<i>${'<'}</i>`, undefined, ['a']]}`.text).toBe('1<i>&lt;</i>a')
  })

  it('lets no text out of its element or attribute, whatever is in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab&<>"\'\0\b\x1fé😀', '\ud800') }), (text) => {
        const { text: markup } = html`${text}`

        expect(markup).not.toMatch(/[<>"'\0\x08\x1f]/)
        expect(markup.replaceAll(/&(amp|lt|gt|quot|#39);/g, '')).not.toContain('&')
        expect(markup.isWellFormed()).toBe(true)
      }),
    )
  })
})

describe('a page', () => {
  it('is the same text for the same blocks', async () => {
    const blocks = () => [section('A', figure(), figure()), folded('more', 'text')]
    expect(await pageOf(...blocks())).toBe(await pageOf(...blocks()))
  })

  it('escapes every text that is given', async () => {
    const page = await renderPage({
      title: evil,
      summary: evil,
      footer: evil,
      contents: true,
      blocks: [
        evil,
        section(evil, evil),
        folded(evil, evil),
        dataTable({ caption: evil, columns: [{ title: evil, cell: (x: string) => x }], rows: [evil] }),
        chart({ title: evil, alt: evil, note: evil, spec: lines, table: null }),
        interactive({ markup: html`${evil}`, script: 'root.title = data', data: evil }),
      ],
    })
    expect(page).not.toContain('<img')
    expect(page.match(/<\/script>/g)).toHaveLength(2)
    const [, data] = /<script type="application\/json"[^>]*>(.*?)<\/script>/.exec(page)!
    expect(JSON.parse(data!)).toBe(evil)
  })

  it('ranks headings, has every id once and refers to ids that there are', async () => {
    const inner = section('inner', section('innermost', 'x'), figure())
    const page = await renderPage({
      title: 'T',
      contents: true,
      blocks: [section('one', inner, figure()), section('two', folded('f', figure()))],
    })
    const headings = [...page.matchAll(/<h(\d)[^>]*>([^<]+)/g)].map(([, rank, text]) => rank! + text)
    expect(headings).toEqual(['1T', '2one', '3inner', '4innermost', '2two'])
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!)
    expect(ids.length).toBeGreaterThan(8)
    expect(new Set(ids).size).toBe(ids.length)
    const references = [...page.matchAll(/(?:href="#|url\(#|labelledby=")([^")]+)/g)].map(([, id]) => id!)
    expect(references.length).toBeGreaterThan(8)
    for (const id of references) expect(ids).toContain(id)
    const contents = [...page.matchAll(/<a href="#([^"]+)">([^<]+)/g)]
    expect(contents.map(([, , title]) => title)).toEqual(['one', 'two'])
    for (const [, id, title] of contents) expect(page).toContain(`id="${id}">${title}<`)
  })

  it('loads nothing, and lets only its own scripts run', async () => {
    const page = await pageOf(figure(), interactive({ markup: html`x`, script: 'root.textContent = data' }))
    expect(page).not.toMatch(/(?:src|href)="(?!#)|@import|url\((?!#)/)
    const policy = /Security-Policy" content="([^"]+)"/.exec(page)![1]!.replaceAll('&#39;', "'")
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("connect-src 'none'")
    const [, code] = /<script>([^]*?)<\/script>/.exec(page)!
    expect(policy).toContain(`'sha256-${createHash('sha256').update(code!).digest('base64')}'`)
    const served = await renderPage({ title: 'T', blocks: [], network: 'same-origin' })
    expect(served).toMatch(/connect-src &#39;self&#39;;/)
    expect(served).toMatch(/script-src &#39;none&#39;;/)
  })

  it('holds a script once for all parts that have it, each with its data', async () => {
    const part = (data: number) =>
      interactive({ markup: html`x`, script: 'seen.push([root.id, data])', data })
    const page = await pageOf(part(1), part(2))
    const [, code] = /<script>([^]*?)<\/script>/.exec(page)!
    expect(code!.match(/seen\.push/g)).toHaveLength(1)
    const elements = new Map(
      [...page.matchAll(/id="([\w-]+)"[^>]*>([^<]*)</g)].map(([, id, textContent]) => [
        id,
        { id, textContent },
      ]),
    )
    const seen: unknown[] = []
    new Function('document', 'seen', code!)({ getElementById: (id: string) => elements.get(id) }, seen)
    expect(seen).toEqual([
      ['part-1', 1],
      ['part-2', 2],
    ])
  })

  it('refuses scripts and styles that would end their element, and a page without a title', async () => {
    const bad = [
      { script: 'x = "</SCRIPT>"' },
      { script: '<!-- x' },
      { script: '', style: 'a::after { content: "</style>" }' },
    ]
    for (const options of bad)
      await expect(pageOf(interactive({ markup: html`x`, ...options }))).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(/script|style/) as string,
      })
    await expect(renderPage({ title: ' ', blocks: [] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

describe('a chart', () => {
  it('is drawn at two widths with its words, and its numbers stand below', async () => {
    const rows = lines.data.values
    const table = {
      caption: 'Numbers',
      columns: [{ title: 'x', cell: (row: (typeof rows)[0]) => row.x }],
      rows,
    }
    const page = await pageOf(chart({ title: 'Lines', alt: 'Two lines rise', spec: lines, table }))
    const widths = [...page.matchAll(/<svg [^>]*?width="(\d+)"/g)].map(([, width]) => Number(width))
    expect(widths).toEqual([320, 680])
    expect(page.match(/role="img" aria-label="Two lines rise"/g)).toHaveLength(2)
    expect(page.match(/<th scope="row"/g)).toHaveLength(rows.length)
    expect(page).toContain(`stroke="${chartColors.series[1]!}"`)
  })

  it('of composed views gets the width', async () => {
    const asked: number[] = []
    await pageOf(figure((width) => (asked.push(width), { hconcat: [{ ...lines, width: width / 3 }] })))
    expect(asked).toEqual([320, 680])
  })

  it.each([
    ['a file', { data: { url: 'file:///etc/hostname' }, mark: 'point' }],
    ['an address', { data: { url: 'http://localhost/x.json' }, mark: 'point' }],
    ['a field that no mark has', { ...lines, encoding: { nowhere: { field: 'x' } } }],
    ['no mark', { data: lines.data }],
  ])('refuses a specification with %s', async (_, spec) => {
    await expect(pageOf(figure(spec))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/^vega-lite could not draw a chart \(.+\)\. Give/) as string,
    })
  })

  it('says what to install where vega is missing', async () => {
    vi.doMock('vega', () => {
      throw new Error('Cannot find package')
    })
    await expect(pageOf(figure())).rejects.toMatchObject({
      code: 'MISSING_DEPENDENCY',
      message: expect.stringContaining('npm install vega vega-lite') as string,
    })
    vi.doUnmock('vega')
  })
})

it('the example of the guide makes its page', async () => {
  const guide = readFileSync(new URL('../../../../docs/guide/reports.md', import.meta.url), 'utf8')
  const [, code] = /```js\n([^]*?)```/.exec(guide)!
  const names = /import \{ (.+?) \} from '@sonotext\/core\/report'/.exec(code!)![1]!
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  const run = new AsyncFunction(`{ ${names} }`, 'writeFile', code!.replaceAll(/^import .*$/gm, ''))
  const written: string[] = []
  await run(report, (...given: string[]) => void written.push(...given))
  expect(written[0]).toBe('report.html')
  expect(written[1]).toContain('Semi-hard leads')
  expect(new Html(written[1]!).text).toContain('</html>')
})
