import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CheckError } from './check-error.js'

/** Root of the repository that this package stands in. */
export const root = resolve(fileURLToPath(new URL('../../../..', import.meta.url)))

const git = (...args: string[]): string =>
  execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()

function gitOr<T>(otherwise: T, ...args: string[]): string | T {
  try {
    return git(...args)
  } catch {
    return otherwise
  }
}

/**
 * What this tree is held against where nobody says: where the branch left main; on main, with nothing uncommitted, the commit before.
 */
export function defaultBase(): { readonly revision: string } | { readonly reason: string } {
  const head = gitOr(null, 'rev-parse', 'HEAD')
  if (head === null) return { reason: 'this is no git repository' }
  const main = ['origin/main', 'main'].find(
    (name) => gitOr(null, 'rev-parse', '--verify', '-q', name) !== null,
  )
  const left = main === undefined ? null : gitOr(null, 'merge-base', main, 'HEAD')
  if (left !== null && left !== head) return { revision: left }
  if (git('status', '--porcelain', '-uno') !== '') return { revision: head }
  const previous = gitOr(null, 'rev-parse', '--verify', '-q', 'HEAD^')
  if (previous !== null) return { revision: previous }
  return { reason: 'there is no earlier commit here: a shallow clone has no history (git fetch --unshallow)' }
}

/** Names after "Accept-slower:" in the messages of the commits since a revision. */
export function acceptedSince(revision: string): string[] {
  const messages = gitOr('', 'log', '--format=%B', `${revision}..HEAD`)
  return [...messages.matchAll(/^Accept-slower: *([\w, ]+)/gm)].flatMap(([, names]) =>
    names!.split(/[ ,]+/).filter((name) => name !== ''),
  )
}

export const shortName = (revision: string): string =>
  gitOr(revision, 'log', '-1', '--format=%h (%s)', revision)

/** The folder of a build: a revision's, or a copy of this one's. Builds it where it was not built before. */
export function buildAt(what: string): Promise<string> {
  const script = join(root, 'tools', 'setup', 'build-at.mjs')
  if (!existsSync(script))
    throw new CheckError(`There is no ${script}: --against REV needs the whole repository.`)
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [script, what], { stdio: ['ignore', 'pipe', 'inherit'] })
    let folder = ''
    child.stdout.on('data', (text) => (folder += String(text)))
    child.once('error', failed)
    child.once('close', (code) => {
      if (code === 0) done(folder.trim())
      else failed(new CheckError(`${what} could not be built: see above.`))
    })
  })
}
