import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import type { BackendInfo } from '../backend/port.js'
import { SonotextError } from '../base/errors.js'
import { writeFileAtomic } from '../base/files.js'
import { readText } from '../base/text.js'
import { runFiles } from './run-files.js'

/** What a run was trained with, from one start on. Another machine may go on; only `matmul` must be the same, which somebody chose. */
export interface MadeWith extends Pick<BackendInfo, 'device' | 'isa' | 'matmul' | 'threads'> {
  /** When it was started or gone on with, ISO 8601. */
  readonly time: string
  /** Version of the library. */
  readonly sonotext: string
  /** Version of Node.js, as `v24.1.0`. */
  readonly node: string
  /** As `linux-x64`. */
  readonly platform: string
  /** Processes that shared the batches. */
  readonly ranks: number
}

/** Says in the folder what a run is trained with from here on; those before it stay where it is gone on with. */
export async function keepMadeWith(
  folder: string,
  { device, isa, matmul, threads }: BackendInfo,
  { ranks, started }: { readonly ranks: number; readonly started: boolean },
): Promise<void> {
  const now: MadeWith = {
    time: new Date().toISOString(),
    sonotext: await version(),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    ...{ device, isa, matmul, threads, ranks },
  }
  // A damaged list is no reason not to go on.
  const before = started ? await readMadeWith(folder).catch(() => []) : []
  await writeFileAtomic(join(folder, runFiles.madeWith), `${JSON.stringify([...before, now], null, 2)}\n`)
}

/**
 * Refuses to go on with products rounded otherwise than the run was started with: what is computed would change in the middle.
 * @throws SonotextError INVALID_CONFIG
 */
export async function refuseOtherProducts(folder: string, { matmul }: BackendInfo): Promise<void> {
  const before = await readMadeWith(folder).catch(() => [])
  const was = before.at(-1)?.matmul
  if (was === undefined || was === matmul) return
  throw new SonotextError(
    'INVALID_CONFIG',
    `the run was trained with matrix products in ${was}, and would go on in ${matmul}.`,
    {
      file: folder,
      remedy: `Open the backend with matmul: '${was}' (on the command line --matmul ${was}), or start a new run in another folder.`,
    },
  )
}

/** What a run was trained with, start by start; empty where nothing was kept. Throws INVALID_FILE for a damaged file. */
export async function readMadeWith(folder: string): Promise<MadeWith[]> {
  const file = join(folder, runFiles.madeWith)
  if (!existsSync(file)) return []
  try {
    const list: unknown = JSON.parse(await readText(file))
    if (Array.isArray(list) && list.every((item) => typeof item === 'object' && item !== null))
      return list as MadeWith[]
  } catch {
    // Said below.
  }
  throw new SonotextError('INVALID_FILE', 'the list of what the run was made with is damaged.', {
    file,
    remedy: 'Remove it: nothing is computed from it.',
  })
}

async function version(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8').catch(() => '{}')
  return (JSON.parse(text) as { version?: string }).version ?? 'unknown'
}
