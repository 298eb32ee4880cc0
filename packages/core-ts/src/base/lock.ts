import { randomUUID } from 'node:crypto'
import { readFileSync, unlinkSync } from 'node:fs'
import { open, readFile, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { throwIfAborted } from './abort.js'

/** Who holds a lock, as its file says. */
export interface LockOwner {
  readonly pid: number
  readonly host: string
  /** When the process started, in ms since 1970, to the second: tells it from a later one of the same pid. */
  readonly started: number
  /** When it took the lock, in ms since 1970. */
  readonly since: number
  /** Unlike any other lock ever taken. */
  readonly token: string
}

/** Options of {@link takeLock}. */
export interface LockOptions {
  /** How long to wait for another owner, ms; 0: not at all. Default 0. A lock that its owner is just writing is waited for, some seconds at most. */
  wait?: number
  signal?: AbortSignal
}

/** A lock that is held until it is released. */
export interface Lock {
  release(): void
  [Symbol.dispose](): void
}

/** What `tryLock` found instead of a free lock. */
export interface Held {
  readonly owner: LockOwner
}

const started = Math.round(Date.now() / 1000 - process.uptime()) * 1000

/** How long a lock file may stay without contents, ms: its maker died between making and writing it, or is about to write. */
const grace = 2_000

/**
 * Takes the lock that the file at `path` stands for, or says who holds it. The file names pid, host, start of the process and time; one
 * whose process has ended on this host is taken over. A lock of another host is never taken over: remove its file by hand.
 * Throws what the file system throws where the file cannot be made.
 */
export async function takeLock(path: string, { wait = 0, signal }: LockOptions = {}): Promise<Lock | Held> {
  const token = randomUUID()
  const own: LockOwner = { pid: process.pid, host: hostname(), started, since: Date.now(), token }
  const begin = performance.now()
  const deadline = begin + wait
  for (let pause = 2; ; pause = Math.min(2 * pause, 50)) {
    throwIfAborted(signal)
    if (await made(path, `${JSON.stringify(own)}\n`)) return lockOf(path, token)
    const owner = await ownerOf(path)
    if (owner === 'gone' || (owner !== 'writing' && isDead(owner) && (await removeDead(path, owner))))
      continue
    // Who writes its lock is about to have a name, or has died: for that it is waited in any case.
    const patience = owner === 'writing' ? Math.max(deadline, begin + 2 * grace) : deadline
    if (performance.now() >= patience) {
      if (owner !== 'writing') return { owner }
      return { owner: { ...own, pid: 0, host: 'unknown', token: '' } }
    }
    await sleep(pause)
  }
}

/** Runs `work` while the lock is held; undefined when it was not free within `wait`. */
export async function whileLocked<T>(
  path: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<{ readonly value: T } | undefined> {
  const lock = await takeLock(path, options)
  if ('owner' in lock) return undefined
  try {
    return { value: await work() }
  } finally {
    lock.release()
  }
}

async function made(path: string, text: string): Promise<boolean> {
  const handle = await open(path, 'wx').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EEXIST') return null
    throw cause
  })
  if (handle === null) return false
  try {
    await handle.writeFile(text)
  } catch (cause) {
    await rm(path, { force: true })
    throw cause
  } finally {
    await handle.close()
  }
  return true
}

function lockOf(path: string, token: string): Lock {
  const release = () => {
    // Only what is ours: it may have been removed by hand and taken by another.
    if (tokenIn(path) !== token) return
    try {
      unlinkSync(path)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
    }
  }
  return { release, [Symbol.dispose]: release }
}

function tokenIn(path: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as LockOwner).token
  } catch {
    return undefined
  }
}

async function ownerOf(path: string): Promise<LockOwner | 'gone' | 'writing'> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return null
    throw cause
  })
  if (text === null) return 'gone'
  const owner = ownerIn(text)
  if (owner !== undefined) return owner
  const info = await stat(path).catch(() => null)
  if (info === null) return 'gone'
  if (Date.now() - info.mtimeMs < grace) return 'writing'
  return { pid: 0, host: hostname(), started: 0, since: info.mtimeMs, token: '' }
}

/** What a lock file says; undefined where it is damaged, or its maker died while it wrote. */
function ownerIn(text: string): LockOwner | undefined {
  try {
    const owner = JSON.parse(text) as LockOwner
    const { pid, host, started, since, token } = owner
    const isWhole =
      [pid, started, since].every(Number.isFinite) && typeof host === 'string' && typeof token === 'string'
    return isWhole ? owner : undefined
  } catch {
    return undefined
  }
}

function isDead({ pid, host, started: theirs }: LockOwner): boolean {
  if (host !== hostname()) return false
  if (pid === process.pid) return Math.abs(theirs - started) > 1500
  if (pid <= 0) return true
  try {
    process.kill(pid, 0)
    const found = processOf(pid)
    return found !== undefined && (found.ended || Math.abs(found.start - theirs) > 5_000)
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

/**
 * When a process started, and whether it has ended with nobody asking how (a zombie), where the system says it (Linux). A pid is given to another process
 * when its owner has ended.
 */
function processOf(pid: number): { readonly start: number; readonly ended: boolean } | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0])
    return { start: Date.now() - 1000 * (uptime - Number(fields[19]) / 100), ended: /[ZX]/.test(fields[0]!) }
  } catch {
    return undefined
  }
}

/**
 * Removes the lock of a dead owner. Two that find it dead must not both remove what stands at the path: the second would remove the
 * first one's new lock. So the right to remove this very lock is taken first, by a file named after its token.
 */
async function removeDead(path: string, { token }: LockOwner): Promise<boolean> {
  const claim = `${path}.${token.slice(0, 8) || 'torn'}.dead`
  if (!(await made(claim, ''))) {
    const info = await stat(claim).catch(() => null)
    // Whoever had the right died as well.
    if (info !== null && Date.now() - info.mtimeMs > 10_000) await rm(claim, { force: true })
    return false
  }
  try {
    const now = await ownerOf(path)
    if (now === 'gone') return true
    if (now === 'writing' || now.token !== token) return false
    await rm(path, { force: true })
    return true
  } finally {
    await rm(claim, { force: true })
  }
}
