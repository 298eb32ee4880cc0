// Links of a built site that lead nowhere: to no file, or to a section that the page does not have.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** `page -> link` of every such link of the site's own pages. What the reference says of itself is typedoc's to check. */
export function brokenLinks(site) {
  const pages = readdirSync(site, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.html') && !/^(api|source)\//.test(name))
  const sections = new Map()
  return pages.flatMap((page) =>
    linksOf(readFileSync(join(site, page), 'utf8'))
      .filter((link) => !leads(page, link))
      .map((link) => `${page} -> ${link}`),
  )

  function leads(page, link) {
    const [path, section] = decodeURIComponent(link).split('#')
    const target = fileOf(
      path === '' ? join(site, page) : join(site, path[0] === '/' ? '' : dirname(page), path),
    )
    if (target === undefined) return false
    if (!section || !target.endsWith('.html')) return true
    if (!sections.has(target)) sections.set(target, readFileSync(target, 'utf8'))
    return sections.get(target).includes(` id="${section}"`)
  }
}

function linksOf(html) {
  const links = [...html.matchAll(/\shref="([^"]+)"/g)].map(([, link]) => link.replaceAll('&amp;', '&'))
  return links.filter((link) => !/^[a-z]+:/.test(link))
}

function fileOf(path) {
  return [path, join(path, 'index.html')].find((file) => statSync(file, { throwIfNoEntry: false })?.isFile())
}
