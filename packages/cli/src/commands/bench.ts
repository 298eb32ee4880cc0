import { existsSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import {
  CheckError,
  compareBuilds,
  environment,
  environmentLine,
  exitCodeOf,
  type Finding,
  installedBuild,
  namedBuild,
  report,
  slowOf,
} from '@sonotext/bench'
import type { CommandBody } from '../command.js'
import { UsageError } from '../exit.js'

interface BenchOptions {
  against?: string
  of?: string
  functions?: string
  only?: string
  accept?: string
  slow?: string
  budget: number
  markdown?: string
}

const usual = 'sonotext.bench.mjs'

/** Compares two versions of the library on this machine, on its own work and on the project's functions. */
const bench: CommandBody<BenchOptions, readonly [string]> = async ({ terminal }, options, _what) => {
  const started = performance.now()
  const project = process.cwd()
  if (options.against === undefined)
    throw new UsageError('Expected --against <version or path>: the build to compare with.')
  const file = options.functions ?? (existsSync(usual) ? usual : null)
  if (file !== null && !existsSync(file)) throw new UsageError(`There is no ${file}.`)
  const list = (text?: string): string[] | null => text?.split(',').filter((name) => name !== '') ?? null
  const note = (line: string): void => terminal.note(line)
  let findings: readonly Finding[]
  let against: string
  try {
    const now =
      options.of === undefined ? installedBuild(project) : await namedBuild(options.of, project, note)
    const before = await namedBuild(options.against, project, note)
    against = `${before.name}; judged: ${now.name}`
    terminal.note('comparing; this takes a minute or two …')
    findings = await compareBuilds({
      now: now.folder,
      before: before.folder,
      only: list(options.only),
      slow: options.slow === undefined ? [] : slowOf(options.slow),
      accepted: list(options.accept) ?? [],
      budget: options.budget,
      benchFile: file === null ? null : resolve(file),
      parts: ['memory', 'time'],
      closer: (key) => `sonotext bench check --against ${options.against} --only ${key}`,
    })
  } catch (error) {
    if (error instanceof CheckError) throw new UsageError(error.message)
    throw error
  }
  const where = environment()
  const text = report(findings, {
    against,
    notes: file === null ? [`no functions of the project were timed: there is no ${usual}`] : [],
    environment: environmentLine(where),
    seconds: (performance.now() - started) / 1000,
  })
  if (options.markdown !== undefined) await appendFile(options.markdown, text)
  terminal.result({ against, environment: where, findings }, () => text.trimEnd())
  return exitCodeOf(findings)
}
export default bench
