import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Addon } from '../src/addon.js'

/** The addon could not be loaded: `message` says what was tried, what was found and what to run. */
export class AddonLoadError extends Error {
  readonly code = 'BACKEND_UNAVAILABLE'
  /** Files that were looked for, with what happened to each. */
  readonly attempts: readonly Attempt[]

  constructor(attempts: readonly Attempt[], named = process.env['SONOTEXT_ADDON']) {
    super(explain(attempts, named))
    this.name = 'AddonLoadError'
    this.attempts = attempts
  }
}

export interface Attempt {
  readonly path: string
  /** Why loading failed; null when there is no such file. */
  readonly problem: string | null
}

const packageFolder = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)

/** Where the addon may be, best first. `SONOTEXT_ADDON` names a file, from the working folder, and is then the only candidate. */
export function candidates(folder = packageFolder, env: NodeJS.ProcessEnv = process.env): string[] {
  const named = env['SONOTEXT_ADDON']
  if (named) return [resolve(named)]
  const built = join(folder, 'build', 'Release', 'sonotext.node')
  const prebuilt = join(folder, 'prebuilt')
  // A built checkout has no prebuilt files and need not find out which one it would take: that costs some milliseconds.
  if (existsSync(built) && !existsSync(prebuilt)) return [built]
  return [built, join(prebuilt, systemName(), 'sonotext.node')]
}

/** The system a library must be compiled for, such as `darwin-arm64`; on Linux with the C library: `linux-x64-musl`. */
export function systemName(libc = process.platform === 'linux' ? cLibrary() : null): string {
  return [process.platform, process.arch, ...(libc === null ? [] : [libc])].join('-')
}

/** The C library of this Node: its report names the version of glibc where it runs on that. */
export function cLibrary(report: { header: object } = briefReport()): 'glibc' | 'musl' {
  return 'glibcVersionRuntime' in report.header ? 'glibc' : 'musl'
}

/** Without the network interfaces, whose names may take seconds to find. */
function briefReport(): { header: object } {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork: boolean }
  const { excludeNetwork } = report
  report.excludeNetwork = true
  try {
    return report.getReport() as { header: object }
  } finally {
    report.excludeNetwork = excludeNetwork
  }
}

let loaded: Addon | AddonLoadError | undefined

/** The addon, loaded once per thread. Throws {@link AddonLoadError}. */
export function loadAddon(): Addon {
  loaded ??= tryLoad(candidates())
  if (loaded instanceof AddonLoadError) throw loaded
  return loaded
}

export function tryLoad(paths: readonly string[]): Addon | AddonLoadError {
  const attempts: Attempt[] = []
  for (const path of paths) {
    if (!existsSync(path)) {
      attempts.push({ path, problem: null })
      continue
    }
    try {
      return require(path) as Addon
    } catch (error) {
      attempts.push({ path, problem: error instanceof Error ? error.message : String(error) })
    }
  }
  return new AddonLoadError(attempts)
}

function explain(attempts: readonly Attempt[], named: string | undefined): string {
  const lines = [
    `The native addon of Sonotext could not be loaded on ${systemName()}, Node ${process.version}.`,
    'Tried:',
    ...attempts.map(
      ({ path, problem }) => `  ${path}: ${problem === null ? 'no such file' : firstLine(problem)}`,
    ),
  ]
  const broken = attempts.find(({ problem }) => problem !== null)
  if (named && attempts.every(({ path }) => path === resolve(named))) {
    lines.push(
      `The environment variable SONOTEXT_ADDON names this file (SONOTEXT_ADDON=${named}): correct it, or unset it to use the addon that was built here.`,
    )
  }
  lines.push(
    broken === undefined
      ? 'It was not built yet. Build it in the folder of the repository with:'
      : 'The file is there but does not fit this system. Build it again in the folder of the repository with:',
    '  npm run setup',
    'That needs a C++20 compiler (GCC 11, Clang 14 or newer) and, better, CMake: on Debian and Ubuntu `apt install g++ cmake`.',
    "Everything also runs without the addon, more slowly, on device 'reference'.",
  )
  return lines.join('\n')
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!
}
