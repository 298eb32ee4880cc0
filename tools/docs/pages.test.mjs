import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { brokenLinks } from './links.mjs'
import { layOutPages, withLinks } from './pages.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'sonotext-pages-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('every link of the README, the guides and the results leads to something', () => {
  layOutPages(root, folder)
  const first = readFileSync(join(folder, 'index.md'), 'utf8')
  expect(first).toContain('](./guide/linking.md)')
  expect(first).not.toContain('](docs/')
})

it('links lead to pages, to sections, to examples, and else to a copy of the file', () => {
  const copied = []
  const at = (text) => withLinks(text, 'docs/guide/cli.md', root, (name) => copied.push(name))
  expect(at('[a](../results/README.md)')).toBe('[a](../results/index.md)')
  expect(at('[a](training.md#configuration)')).toBe('[a](./training.md#configuration)')
  expect(at('[a](../../examples/quickstart.mjs)')).toBe('[a](../examples.md#quickstart-mjs)')
  expect(at('[a](#train) and ![b](../../LICENSE)')).toBe('[a](#train) and ![b](/source/LICENSE)')
  expect(copied).toEqual(['LICENSE'])
  expect(at('```ts\nconst [a](b) = 1\n```')).toBe('```ts\nconst [a](b) = 1\n```')
  expect(() => at('[a](nowhere.md)')).toThrow('docs/guide/cli.md links to nowhere.md, which is not there.')
})

it('links of the built site that lead to no file or no section are named', () => {
  const site = join(folder, 'site')
  mkdirSync(join(site, 'guide'), { recursive: true })
  const page = (name, text) => writeFileSync(join(site, name), text)
  page(
    'index.html',
    '<h2 id="begin">…</h2><a href="/guide/a.html#one">…</a><a href="https://elsewhere.org/x">…</a>',
  )
  page(
    'guide/a.html',
    '<h2 id="two">…</h2><a href="#two">…</a><a href="../index.html#begin">…</a><a href="b.html">…</a><a href="/">…</a>',
  )
  expect(brokenLinks(site).sort()).toEqual(['guide/a.html -> b.html', 'index.html -> /guide/a.html#one'])
})
