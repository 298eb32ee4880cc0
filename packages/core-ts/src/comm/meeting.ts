import { randomBytes } from 'node:crypto'
import { open, rename, rm, writeFile } from 'node:fs/promises'
import process from 'node:process'
import { SonotextError } from '../base/errors.js'

/** Where rank 0 listens, and the secret that its ranks know. */
export interface Address {
  readonly host: string
  /** 0 on rank 0: any free one. */
  readonly port: number
  readonly secret: string
}

/**
 * How ranks find rank 0: an address they all know, or a file that rank 0 writes, which only this user can read. The file is for
 * processes of one machine.
 */
export type Meeting = Address | { readonly file: string }

/** Where rank 0 is to listen: as it was said, or at a free port of this machine with a secret of its own. */
export function ownAddress(meeting: Meeting): Address {
  if (!('file' in meeting)) return meeting
  return { host: '127.0.0.1', port: 0, secret: randomBytes(32).toString('hex') }
}

/** Tells the others where rank 0 listens. Throws what the file system throws. */
export async function announce(meeting: Meeting, address: Address): Promise<void> {
  if (!('file' in meeting)) return
  const draft = `${meeting.file}.${process.pid}`
  // Neither a file nor a link that somebody laid there is written through.
  await rm(draft, { force: true })
  await writeFile(draft, JSON.stringify(address), { mode: 0o600, flag: 'wx' })
  await rename(draft, meeting.file)
}

/** Nobody joins any more. */
export async function withdraw(meeting: Meeting): Promise<void> {
  if ('file' in meeting) await rm(meeting.file, { force: true })
}

/** Where rank 0 listens; null while it has not said so. Throws INVALID_FILE for a file of another user. */
export async function addressOf(meeting: Meeting): Promise<Address | null> {
  if (!('file' in meeting)) return meeting
  const { file } = meeting
  let handle
  try {
    handle = await open(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  try {
    const { uid, mode } = await handle.stat()
    if (process.getuid !== undefined && (uid !== process.getuid() || (mode & 0o077) !== 0)) {
      throw new SonotextError('INVALID_FILE', 'the address of rank 0 is not of this user alone.', {
        file,
        remedy: 'Remove the file, or give the ranks another folder for temporary files (TMPDIR).',
      })
    }
    const { host, port, secret } = JSON.parse(await handle.readFile('utf8')) as Address
    return { host, port, secret }
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new SonotextError('INVALID_FILE', 'this is no address of a rank 0.', {
      file,
      remedy: 'Remove it.',
      cause,
    })
  } finally {
    await handle.close()
  }
}
