/**
 * Runs one of the suites: `node run-suite.js NAME [options]`. What every one of them has in common is here: its help is the comment at its
 * head, and what the user can mend is said without a stack trace, with exit code 2.
 */
import { readdirSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { isSonotextError } from '@sonotext/core/base'
import { CheckError } from './check/check-error.js'
import './direct.js'

const folder = new URL('suites/', import.meta.url)

export function suiteNames(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.js') && !file.endsWith('.test.js'))
    .map((file) => file.slice(0, -'.js'.length))
}

/** The comment at the head of a suite. */
export function helpOf(source: string): string {
  const comment = /^\/\*\*\n?([^]*?)\*\//.exec(source)?.[1] ?? ''
  return comment
    .replace(/^ ?\* ?/gm, '')
    .replaceAll('`', '')
    .trim()
}

/** An error that is the caller's: options that do not parse or do not do, a file that is not there, a check that cannot be made. */
function isOfTheCaller(error: unknown): error is Error {
  const code = (error as { code?: unknown } | null)?.code
  return (
    error instanceof CheckError ||
    isSonotextError(error) ||
    // A file that cannot be read or written.
    (error instanceof Error && 'syscall' in error && 'path' in error) ||
    (typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS'))
  )
}

async function main([name, ...options]: readonly string[]): Promise<void> {
  if (name === undefined || !suiteNames().includes(name)) {
    process.stderr.write(`Expected a suite, got ${name ?? 'nothing'}. Suites: ${suiteNames().join(', ')}.\n`)
    process.exitCode = 2
    return
  }
  const file = new URL(`${name}.js`, folder)
  if (options.includes('--help') || options.includes('-h')) {
    process.stdout.write(`${helpOf(readFileSync(file, 'utf8'))}\n`)
    return
  }
  process.argv = [process.argv[0]!, fileURLToPath(file), ...options]
  try {
    await import(file.href)
  } catch (error) {
    // Never 1, which some suites give for a result.
    process.exitCode = 2
    if (!isOfTheCaller(error)) {
      console.error(error)
      return
    }
    process.stderr.write(
      `bench:${name}: ${error.message}\nnpx nx run bench:${name} -- --help shows its options.\n`,
    )
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2))
