import { createHash, randomBytes } from 'node:crypto'
import { constants, fsync, type Stats, write } from 'node:fs'
import {
  access,
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { throwIfAborted } from './abort.js'
import { isSonotextError, SonotextError } from './errors.js'
import { rethrowMissing } from './text.js'

/** A whole file as bytes. Throws MISSING_FILE, or INVALID_FILE for a folder, one that may not be read, and one past `maxBytes`. */
export async function readBytes(
  path: string,
  { maxBytes = Infinity, signal }: { maxBytes?: number; signal?: AbortSignal | undefined } = {},
): Promise<Uint8Array> {
  try {
    const { size } = await stat(path)
    if (size > maxBytes) {
      throw new SonotextError('INVALID_FILE', `expected at most ${maxBytes} bytes, got ${size}.`, {
        file: path,
        remedy: 'Check that this is the right file.',
      })
    }
    return await readFile(path, signal === undefined ? {} : { signal })
  } catch (cause) {
    throwIfAborted(signal)
    rethrowMissing(path, cause)
  }
}

/** Bytes of a file. Throws MISSING_FILE. */
export async function fileLength(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (cause) {
    rethrowMissing(path, cause)
  }
}

/** One read takes no more than 2 GiB. */
const largestRead = 2 ** 30

/** Up to `count` bytes of a file from `start` on, in memory of their own. Throws as {@link readBytes}. */
export async function readRange(path: string, start: number, count: number): Promise<Uint8Array> {
  try {
    const handle = await open(path, 'r')
    try {
      const bytes = new Uint8Array(count)
      let done = 0
      while (done < count) {
        const some = Math.min(count - done, largestRead)
        const { bytesRead } = await handle.read(bytes, done, some, start + done)
        if (bytesRead === 0) break
        done += bytesRead
      }
      return done === count ? bytes : bytes.slice(0, done)
    } finally {
      await handle.close()
    }
  } catch (cause) {
    rethrowMissing(path, cause)
  }
}

/** Options of {@link writeFileAtomic}. */
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
 * temporary file beside the target, flush to disk, rename. A link is followed and stays, the mode and owner of the file are kept,
 * parent folders are made; pipes and devices are written into. A list of parts is written one after another, so that a large file
 * needs no copy in memory. Throws WRITE_FAILED naming the file and the reason.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array | readonly Uint8Array[],
  { signal, durable = true }: WriteOptions = {},
): Promise<void> {
  throwIfAborted(signal)
  const parts = typeof data === 'string' || data instanceof Uint8Array ? [data] : data
  try {
    const own = standardStream(path)
    if (own !== null) return await writeDescriptor(own, parts, signal)
    const there = await stat(path).catch(ifMissing)
    if (there === null || there.isFile())
      return await replaceFile(await target(path), there, parts, { signal, durable })
    await writeInto(path, parts, signal)
  } catch (cause) {
    throw isSonotextError(cause) ? cause : writeFailed(path, cause)
  }
}

/** Whether what is written there goes into a pipe or device, or to the process's own standard output, and is no file in a folder. */
export async function isStream(path: string): Promise<boolean> {
  if (standardStream(path) !== null) return true
  const info = await stat(path).catch(() => null)
  return info !== null && !info.isFile() && !info.isDirectory()
}

/**
 * Makes a folder with those above it, and gives the first that was made. Not `mkdir` with `recursive`: where a folder is there and yet can
 * hold none, as /proc, Node.js tries it for ever.
 */
export async function makeFolder(path: string): Promise<string | undefined> {
  const lacking: string[] = []
  for (let at = resolve(path); ; at = dirname(at)) {
    const there = await stat(at).catch(ifMissing)
    if (there !== null && !there.isDirectory())
      throw Object.assign(new Error(`${at} is no folder`), { code: 'ENOTDIR', path: at })
    if (there !== null || at === dirname(at)) break
    lacking.unshift(at)
  }
  for (const folder of lacking) {
    await mkdir(folder).catch(async (cause: NodeJS.ErrnoException) => {
      // Another process may have made it meanwhile.
      if (cause.code !== 'EEXIST' || !(await stat(folder)).isDirectory()) throw cause
    })
  }
  return lacking[0]
}

/** Whether writing to this path ends in the process's own standard output. */
export function isStandardOutput(path: string): boolean {
  return standardStream(path) === 1
}

/** The descriptor that a path such as /dev/stdout stands for; it may be a socket, which cannot be opened. */
function standardStream(path: string): number | null {
  const own = /^\/(?:dev\/(?:std(in|out|err)|fd\/(\d+))|proc\/self\/fd\/(\d+))$/.exec(resolve(path))
  if (own === null || process.platform === 'win32') return null
  return own[1] === undefined ? Number(own[2] ?? own[3]) : ['in', 'out', 'err'].indexOf(own[1])
}

/** Not `handle.sync()`, which handles under Yarn's Plug'n'Play do not have. */
const syncDescriptor = promisify(fsync)

const writeSome = promisify(write) as (
  fd: number,
  bytes: Uint8Array,
  offset: number,
) => Promise<{ bytesWritten: number }>

async function writeDescriptor(
  fd: number,
  parts: readonly (string | Uint8Array)[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part
    for (let done = 0; done < bytes.length;) {
      throwIfAborted(signal)
      try {
        done += (await writeSome(fd, bytes, done)).bytesWritten
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== 'EAGAIN') throw cause
        // The reader of a pipe that does not wait is behind.
        await sleep(2)
      }
    }
  }
}

/** A pipe or device takes what is written; it is neither made, cut nor replaced. */
async function writeInto(
  path: string,
  parts: readonly (string | Uint8Array)[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const handle = await open(path, constants.O_WRONLY)
  try {
    await writeParts(handle, parts, signal)
  } finally {
    await handle.close()
  }
}

async function replaceFile(
  path: string,
  old: Stats | null,
  parts: readonly (string | Uint8Array)[],
  { signal, durable }: { signal: AbortSignal | undefined; durable: boolean },
): Promise<void> {
  const file = await Replacement.open(path, old)
  try {
    await writeParts(file.handle, parts, signal)
    await file.commit(durable)
  } catch (cause) {
    await file.discard()
    throw cause
  }
}

/** This host in names of temporary files: pids of another say nothing. */
const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8)
const temporaryName = new RegExp(`\\.(\\d+)\\.${host}[0-9a-f]{8}\\.tmp$`)
/** Folders that were looked through, once in a process: they may have very many files. */
const lookedThrough = new Set<string>()

/** Removes what processes of this host that were killed left half written in a folder. */
async function removeLeftOver(folder: string): Promise<void> {
  const path = resolve(folder)
  if (lookedThrough.has(path)) return
  lookedThrough.add(path)
  for (const name of await readdir(path).catch(() => [])) {
    const pid = temporaryName.exec(name)?.[1]
    if (pid !== undefined && hasEnded(Number(pid)))
      await rm(join(path, name), { force: true }).catch(() => {})
  }
}

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return false
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

/** A file that is written beside the one whose place it takes in the end. */
class Replacement {
  readonly #path: string
  readonly #temporary: string
  readonly handle: FileHandle
  #open = true
  #committed = false

  private constructor(path: string, temporary: string, handle: FileHandle) {
    this.#path = path
    this.#temporary = temporary
    this.handle = handle
  }

  /** `folder` holds it while it is written: one on the same disk. */
  static async open(path: string, old: Stats | null, folder = dirname(path)): Promise<Replacement> {
    if (old === null) await makeFolder(dirname(path))
    else await access(path, constants.W_OK)
    await removeLeftOver(folder)
    const mark = `${process.pid}.${host}${randomBytes(4).toString('hex')}`
    const temporary = join(folder, `${basename(path)}.${mark}.tmp`)
    const handle = await open(temporary, 'wx', old === null ? 0o666 : old.mode & 0o777)
    const file = new Replacement(path, temporary, handle)
    try {
      if (old !== null) await keepOwner(handle, old)
    } catch (cause) {
      await file.discard()
      throw cause
    }
    return file
  }

  async commit(durable: boolean): Promise<void> {
    if (durable) await syncDescriptor(this.handle.fd)
    await this.#close()
    await rename(this.#temporary, this.#path)
    this.#committed = true
    if (durable) await syncDirectory(dirname(this.#path))
  }

  /** Leaves what was there before. */
  async discard(): Promise<void> {
    if (this.#committed) return
    await this.#close().catch(() => {})
    await rm(this.#temporary, { force: true }).catch(() => {})
  }

  async #close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.handle.close()
  }
}

/**
 * A file of unknown length that is written piece by piece and is there in the end whole or not at all, as with {@link writeFileAtomic}.
 * What is not committed is removed when it is disposed of. Every error is a WRITE_FAILED that names the file.
 */
export class AtomicFile implements AsyncDisposable {
  readonly #path: string
  readonly #file: Replacement
  #length = 0

  private constructor(path: string, file: Replacement) {
    this.#path = path
    this.#file = file
  }

  /** `within`: a folder on the same disk that holds the file until it is committed, made when needed. Default: its own. */
  static async create(path: string, { within }: { within?: string } = {}): Promise<AtomicFile> {
    try {
      if (within !== undefined) await makeFolder(within)
      const there = await stat(path).catch(ifMissing)
      return new AtomicFile(path, await Replacement.open(await target(path), there, within))
    } catch (cause) {
      throw writeFailed(path, cause)
    }
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.writeAt(bytes, this.#length)
    this.#length += bytes.length
  }

  async writeAt(bytes: Uint8Array, position: number): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.#file.handle.write(
          bytes,
          done,
          bytes.length - done,
          position + done,
        )
        done += bytesWritten
      }
    } catch (cause) {
      throw writeFailed(this.#path, cause)
    }
  }

  async commit({ durable = true }: Pick<WriteOptions, 'durable'> = {}): Promise<void> {
    try {
      await this.#file.commit(durable)
    } catch (cause) {
      throw writeFailed(this.#path, cause)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.discard()
  }
}

async function writeParts(
  handle: FileHandle,
  parts: readonly (string | Uint8Array)[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const part of parts) {
    await handle.writeFile(part)
    throwIfAborted(signal)
  }
}

/** Only a privileged user can give a file away; where it cannot be done the file is the writer's own. */
async function keepOwner(handle: FileHandle, old: Stats): Promise<void> {
  const { uid, gid } = await handle.stat()
  if (uid !== old.uid || gid !== old.gid) await handle.chown(old.uid, old.gid).catch(() => {})
  await handle.chmod(old.mode & 0o7777)
}

/** Where a chain of links ends, whether there is a file or not yet; at most as many as the system itself follows. */
async function target(path: string): Promise<string> {
  let at = path
  for (let links = 0; links < 40; links++) {
    const next = await readlink(at).catch(() => null)
    if (next === null) return at
    at = resolve(await realpath(dirname(at)), next)
  }
  throw Object.assign(new Error('too many links'), { code: 'ELOOP' })
}

function ifMissing(cause: NodeJS.ErrnoException): null {
  if (cause.code === 'ENOENT') return null
  throw cause
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
  EPIPE: 'Whoever read the pipe has gone: start the reader again.',
  ELOOP: 'The link leads in a circle: remove it or choose another name.',
  ENXIO: 'It is a socket or a device without a reader: choose a file.',
}

function writeFailed(path: string, cause: unknown): SonotextError {
  const { code = String(cause) } = cause as NodeJS.ErrnoException
  const kept = code === 'EPIPE' ? 'not all of it was written' : 'what was there before is unchanged'
  const message = `could not write the file (${code}); ${kept}.`
  const remedy = remedies[code] ?? 'Check that the folder exists and can be written.'
  return new SonotextError('WRITE_FAILED', message, { file: path, remedy, cause })
}

/** Makes the rename itself durable; not every platform can open a folder, and there it is not needed. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => undefined)
  if (handle === undefined) return
  await syncDescriptor(handle.fd).catch(() => {})
  await handle.close().catch(() => {})
}
