import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A program shown in a page of the documentation. */
export interface GuideBlock {
  /** File and line, as `docs/guide/audio.md:3`. */
  readonly at: string
  readonly code: string
  /** Why it is not run, as the page says in a comment; null where it is. */
  readonly notRun: string | null
}

/**
 * The programs of a page. What a reader has already stands before a block in a comment, `<!-- before … -->`; `<!-- not run: reason -->`
 * says why a block is not run, `<!-- example: file -->` which file is this program or runs it.
 */
export function blocksOf(root: string, file: string): GuideBlock[] {
  const text = readFileSync(join(root, file), 'utf8')
  const form = /(?:<!-- (before|not run|example)(?:: | *\n)([^]*?)-->\n+)?```(?:ts|js)\n([^]*?)```/g
  return [...text.matchAll(form)].map((found) => {
    const [, kind, said = '', code] = found
    const start = found.index + found[0].lastIndexOf('```' + (found[0].includes('```ts') ? 'ts' : 'js'))
    const line = text.slice(0, start).split('\n').length
    return {
      at: `${file}:${line}`,
      code: kind === 'before' ? `${said}${code!}` : code!,
      notRun: kind === 'not run' || kind === 'example' ? said.trim() : null,
    }
  })
}
