import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SonotextError } from './errors.js'

/**
 * Writes a file so that a crash, a full disk or a kill leaves either the old contents or the new, never a part: temporary
 * file beside the target, flush to disk, rename. Parent folders are made. Throws WRITE_FAILED naming the file.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array | readonly Uint8Array[],
): Promise<void> {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`
  try {
    await mkdir(dirname(path), { recursive: true })
    const handle = await open(temporary, 'wx')
    try {
      for (const part of Array.isArray(data)
        ? (data as readonly Uint8Array[])
        : [data as string | Uint8Array]) {
        await handle.writeFile(part)
      }
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
    await syncDirectory(dirname(path))
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {})
    const code = (cause as NodeJS.ErrnoException).code
    throw new SonotextError(
      'WRITE_FAILED',
      `could not write the file (${code ?? String(cause)}); what was there before is unchanged.`,
      {
        file: path,
        remedy:
          code === 'ENOSPC'
            ? 'Free some disk space and run again.'
            : 'Check that the folder exists and can be written.',
        cause,
      },
    )
  }
}

/** Makes the rename itself durable; not every platform can open a folder, and there it is not needed. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => undefined)
  await handle?.sync().catch(() => {})
  await handle?.close()
}
