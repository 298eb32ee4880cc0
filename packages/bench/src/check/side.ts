import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type * as all from '@sonotext/core'
import type * as audio from '@sonotext/core/audio'
import type * as backend from '@sonotext/core/backend'
import type * as base from '@sonotext/core/base'
import type * as losses from '@sonotext/core/losses'
import type * as models from '@sonotext/core/models'
import type * as nn from '@sonotext/core/nn'
import type * as retrieval from '@sonotext/core/retrieval'
import type * as similarity from '@sonotext/core/similarity'
import type * as text from '@sonotext/core/text'
import type * as train from '@sonotext/core/train'
import type * as native from '@sonotext/native-cuda'
import { CheckError } from './check-error.js'

/** The modules of one build of `@sonotext/core`, as `import('@sonotext/core/audio')` would give them. */
export interface Core {
  readonly audio: typeof audio
  readonly backend: typeof backend
  readonly base: typeof base
  readonly losses: typeof losses
  readonly models: typeof models
  readonly nn: typeof nn
  readonly retrieval: typeof retrieval
  readonly similarity: typeof similarity
  readonly text: typeof text
  readonly train: typeof train
}

const names = [
  'audio',
  'backend',
  'base',
  'losses',
  'models',
  'nn',
  'retrieval',
  'similarity',
  'text',
  'train',
] as const

/** One build of the library, loaded into this process. Two of them share nothing: each has its modules, addon and thread pool. */
export interface Side {
  readonly name: string
  /** Folder of its package `@sonotext/core`. */
  readonly folder: string
  readonly version: string
  readonly core: Core
  /** Everything that the package exports at its top. */
  readonly all: typeof all
  /** Null where it could not be loaded: then everything runs on the reference. */
  readonly addon: native.Addon | null
}

/** The folder of the `@sonotext/core` that a path means: the package itself, a clone of the repository, or a project that has it installed. */
export function coreFolder(path: string): string {
  const places = [
    path,
    join(path, 'packages', 'core-ts'),
    join(path, 'node_modules', '@sonotext', 'core'),
  ].map((place) => resolve(place))
  const found = places.find((place) => packageOf(place)?.name === '@sonotext/core')
  if (found === undefined) {
    throw new CheckError(
      `There is no @sonotext/core in ${resolve(path)}: expected the package, a clone, or a project with it in node_modules.`,
    )
  }
  if (!existsSync(join(found, 'dist', 'index.js'))) {
    throw new CheckError(`${found} has no dist: build it first (npm run setup in a clone).`)
  }
  return found
}

export function packageOf(folder: string): { name: string; version: string } | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name: string; version: string }
  } catch {
    return undefined
  }
}

/** Loads the build in a folder of `@sonotext/core`; `name` is what the report calls it. */
export async function openSide(name: string, folder: string): Promise<Side> {
  const load = (path: string): Promise<unknown> => import(pathToFileURL(path).href)
  const module = (at: string): string => join(folder, 'dist', at, 'index.js')
  const modules: Record<string, unknown> = {}
  // A version that lacks one of the folders cannot be judged on what needs it; the rest can.
  for (const at of names) if (existsSync(module(at))) modules[at] = await load(module(at))
  const nativeFile = createRequire(join(folder, 'package.json')).resolve('@sonotext/native-cuda')
  const { loadAddon } = (await load(nativeFile)) as typeof native
  let addon: native.Addon | null = null
  try {
    addon = loadAddon()
  } catch {
    // The report says that there is none.
  }
  const top = (await load(module('.'))) as Side['all']
  const { version } = packageOf(folder)!
  return { name, folder, version, core: modules as unknown as Core, all: top, addon }
}
