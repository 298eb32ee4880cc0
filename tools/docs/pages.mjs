// Lays the pages of the site out in a folder of their own: docs/ as it is, the README as the first page, one page of examples. Links that
// leave docs/ lead to the page made of their target, or to a copy of the file.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, posix, resolve } from 'node:path'

/** Where a Markdown file of the repository stands in the site; null for one that has no page. */
export function pageOf(file) {
  if (file === 'README.md') return 'index.md'
  if (file === 'CONTRIBUTING.md') return 'contributing.md'
  const inDocs = /^docs\/(.+\.md)$/.exec(file)?.[1]
  return inDocs?.replace(/README\.md$/, 'index.md') ?? null
}

/**
 * A page's text with links that hold in the site. `file` is its path in the repository; `copied` is told every file that is linked to and
 * is no page. Throws for a link to nothing.
 */
export function withLinks(text, file, root, copied = () => {}) {
  const here = pageOf(file)
  const fences = text.split(/(^```[^]*?^```$)/m)
  return fences
    .map((part, i) => (i % 2 === 1 ? part : part.replace(/\]\(([^)\s]+)\)/g, (_, to) => `](${linked(to)})`)))
    .join('')

  function linked(to) {
    if (/^(https?:|mailto:|#)/.test(to)) return to
    const [path, anchor] = to.split('#')
    const target = posix.normalize(posix.join(posix.dirname(file), path))
    if (!existsSync(join(root, target))) throw new Error(`${file} links to ${to}, which is not there.`)
    const hash = anchor === undefined ? '' : `#${anchor}`
    const named = statSync(join(root, target)).isDirectory() ? posix.join(target, 'README.md') : target
    if (named === 'examples/README.md' || /^examples\/[^/]+\.mjs$/.test(named)) {
      const at = named.endsWith('.mjs') ? `#${posix.basename(named).replaceAll('.', '-')}` : ''
      return relativeTo('examples.md') + at
    }
    const page = pageOf(named)
    if (page !== null) return relativeTo(page) + hash
    copied(named)
    return `/source/${named}`
  }

  function relativeTo(page) {
    const path = posix.relative(posix.dirname(here), page)
    return path.startsWith('.') ? path : `./${path}`
  }
}

/** Writes all pages into a folder. */
export function layOutPages(root, out) {
  rmSync(out, { recursive: true, force: true })
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name.replaceAll('\\', '/')}`)
  const write = (name, text) => {
    mkdirSync(dirname(join(out, name)), { recursive: true })
    writeFileSync(join(out, name), text)
  }
  const copied = (name) => {
    mkdirSync(dirname(join(out, 'public', 'source', name)), { recursive: true })
    cpSync(join(root, name), join(out, 'public', 'source', name))
  }
  for (const file of ['README.md', 'CONTRIBUTING.md', ...docs])
    write(pageOf(file), withLinks(readFileSync(join(root, file), 'utf8'), file, root, copied))
  write('examples.md', examplesPage(resolve(root, 'examples')))
}

/** Every example with its program. */
function examplesPage(folder) {
  const programs = readdirSync(folder).filter((name) => name.endsWith('.mjs'))
  const sections = programs.map((name) => {
    const text = readFileSync(join(folder, name), 'utf8')
    return `## ${name}\n\n\`\`\`js\n${text}\`\`\``
  })
  return `# Examples\n\nEach is a whole program of at most 60 lines, and each is run by the tests.\n\n${sections.join('\n\n')}\n`
}
