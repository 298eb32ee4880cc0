import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { throwIfAborted } from './abort.js'
import { isSonotextError, SonotextError } from './errors.js'

export interface WriteOptions {
  signal?: AbortSignal
  /**
   * Flush to disk before the rename. Default true. false is for files that can be made again and carry a checksum: a loss of
   * power may leave one of them incomplete.
   */
  durable?: boolean
}

/**
 * Writes a file so that a crash, a full disk, an abort or a kill leaves either the old contents or the new, never a part:
 * temporary file beside the target, flush to disk, rename. Parent folders are made. A list of parts is written one after
 * another, so that a large file needs no copy in memory. Throws WRITE_FAILED naming the file and the reason.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array | readonly Uint8Array[],
  { signal, durable = true }: WriteOptions = {},
): Promise<void> {
  throwIfAborted(signal)
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`
  try {
    await mkdir(dirname(path), { recursive: true })
    const handle = await open(temporary, 'wx')
    try {
      for (const part of partsOf(data)) {
        await handle.writeFile(part)
        throwIfAborted(signal)
      }
      if (durable) await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {})
    throw isSonotextError(cause) ? cause : writeFailed(path, cause)
  }
  if (durable) await syncDirectory(dirname(path))
}

function partsOf(data: string | Uint8Array | readonly Uint8Array[]): readonly (string | Uint8Array)[] {
  return typeof data === 'string' || data instanceof Uint8Array ? [data] : data
}

const remedies: Record<string, string> = {
  ENOSPC: 'The disk is full: free some space and run again.',
  EDQUOT: 'The disk quota is used up: free some space and run again.',
  EFBIG: 'The file system or a limit of this process does not allow a file of this size.',
  EACCES: 'This user may not write there: change the permissions or choose another folder.',
  EPERM: 'This user may not write there: change the permissions or choose another folder.',
  EROFS: 'The file system is read-only: choose another folder.',
  EISDIR: 'There is a folder of this name: choose another name.',
  ENOTDIR: 'A part of the path is a file, not a folder: choose another path.',
}

function writeFailed(path: string, cause: unknown): SonotextError {
  const { code = String(cause) } = cause as NodeJS.ErrnoException
  const message = `could not write the file (${code}); what was there before is unchanged.`
  const remedy = remedies[code] ?? 'Check that the folder exists and can be written.'
  return new SonotextError('WRITE_FAILED', message, { file: path, remedy, cause })
}

/** Makes the rename itself durable; not every platform can open a folder, and there it is not needed. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => undefined)
  await handle?.sync().catch(() => {})
  await handle?.close().catch(() => {})
}
