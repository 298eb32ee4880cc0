import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

export const launcher = fileURLToPath(new URL('../../bin/sonotext.js', import.meta.url))

/** Tests that start the command line need its build; the reason they are skipped without one. */
export const notBuilt = existsSync(fileURLToPath(new URL('../../dist/main.js', import.meta.url)))
  ? null
  : 'the TypeScript is not built: npm run setup'

export interface Outcome {
  /** Exit code; null when a signal ended the process. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  cwd?: string
  env?: Record<string, string>
}

/** Runs `sonotext` in a process of its own. */
export function cli(args: readonly string[], options: CliOptions = {}): Promise<Outcome> {
  return start(args, options).outcome
}

/** The one JSON document that stdout must be. */
export async function cliJson<T = Record<string, unknown>>(
  args: readonly string[],
  options: CliOptions = {},
): Promise<T> {
  const { code, stdout, stderr } = await cli([...args, '--json'], options)
  if (code !== 0) throw new Error(`sonotext ${args.join(' ')} ended with ${code}:\n${stderr}`)
  return JSON.parse(stdout) as T
}

export interface Running {
  readonly child: ChildProcess
  readonly outcome: Promise<Outcome>
  /** Resolves once stderr holds the text; rejects when the process ends before. */
  said(text: string): Promise<void>
}

/** Starts `sonotext` and leaves it running. */
export function start(args: readonly string[], { cwd, env = {} }: CliOptions = {}): Running {
  // What the tests' own process was told about the backend is not for the command unless a test says so.
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('SONOTEXT_')),
  )
  const child = spawn(process.execPath, [launcher, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...inherited, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const outcome = new Promise<Outcome>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
  const said = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => (stderr.includes(text) ? resolve() : undefined)
      child.stderr.on('data', look)
      look()
      void outcome.then(() => reject(new Error(`ended without saying "${text}":\n${stderr}`)))
    })
  return { child, outcome, said }
}
