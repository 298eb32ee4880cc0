import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Addon } from '../src/addon.js'
import { type Attempt, explainAttempts } from './explain.js'
import { systemName } from './system.js'

/** The addon could not be loaded: `message` says what was tried, what was found and what to run. */
export class AddonLoadError extends Error {
  readonly code = 'BACKEND_UNAVAILABLE'
  /** Files that were looked for, with what happened to each. */
  readonly attempts: readonly Attempt[]

  constructor(attempts: readonly Attempt[], named = process.env['SONOTEXT_ADDON']) {
    const version = packageVersion(packageFolder)
    super(explainAttempts(attempts, { named, inClone: isClone(packageFolder), version }))
    this.name = 'AddonLoadError'
    this.attempts = attempts
  }
}

/** Undefined where a bundler has made CommonJS of this module. */
const here = import.meta.url as string | undefined
const packageFolder = here === undefined ? process.cwd() : dirname(dirname(fileURLToPath(here)))
/** Not called `require`: the CommonJS twin has that name already. */
const fromHere = createRequire(here ?? join(packageFolder, 'bundle.js'))

/**
 * Where the addon may be, best first: what was built in this package (`npm run setup` in a clone, `sonotext-native build` in an
 * installed package), then the package of this platform. `SONOTEXT_ADDON` names a file, from the working folder, and is then
 * the only candidate.
 */
export function candidates(
  folder = packageFolder,
  env: NodeJS.ProcessEnv = process.env,
  resolvePackage: (name: string) => string = (name) => fromHere.resolve(name),
): string[] {
  const named = env['SONOTEXT_ADDON']
  if (named) return [resolve(named)]
  const built = join(folder, 'build', 'Release', 'sonotext.node')
  // Finding out the C library costs some milliseconds: a built package need not.
  if (existsSync(built)) return [built]
  return [built, platformFile(resolvePackage)]
}

/** The file in the package of this platform, or that package's name where it is not installed. */
function platformFile(resolvePackage: (name: string) => string): string {
  const name = `@sonotext/native-${systemName()}`
  try {
    return resolvePackage(name)
  } catch {
    return name
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
      const addon = fromHere(path) as Addon
      if (typeof addon?.ops === 'function') return addon
      attempts.push({ path, problem: 'it is no native addon of Sonotext' })
    } catch (error) {
      attempts.push({ path, problem: error instanceof Error ? error.message : String(error) })
    }
  }
  return new AddonLoadError(attempts)
}

/** Whether this package is a folder of the repository, where `npm run setup` builds it. */
function isClone(folder: string): boolean {
  return existsSync(join(folder, '..', '..', 'nx.json'))
}

/** Null where this code stands in a bundle, away from its package. */
export function packageVersion(folder: string): string | null {
  const file = join(folder, 'package.json')
  if (!existsSync(file)) return null
  const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version: string }
  return name === '@sonotext/native-cuda' ? version : null
}
