import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Lock, takeLock, whileLocked } from './lock.js'

/** The file system as it is, except that files go a little later than they are told to: what comes in between is a race. */
vi.mock(import('node:fs/promises'), async (importOriginal) => {
  const original = await importOriginal()
  let turn = 0
  return {
    ...original,
    rm: async (...args: Parameters<typeof original.rm>) => {
      await sleep([0, 3, 1, 5][turn++ % 4]!)
      await original.rm(...args)
    },
  }
})

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sonotext-lock-'))
  path = join(folder, 'x.lock')
})
afterEach(() => rmSync(folder, { recursive: true }))

const taken = async (): Promise<Lock> => {
  const lock = await takeLock(path)
  if ('owner' in lock) throw new Error(`held by ${lock.owner.pid}`)
  return lock
}
/** The pid of a process that has ended. */
const endedPid = (): number => spawnSync(process.execPath, ['-e', '']).pid
const owner = (of: object) =>
  JSON.stringify({ host: hostname(), started: 0, since: 0, token: 'a-b-c-d', ...of })

describe('takeLock', () => {
  it('is held by one, who says so, until it is released', async () => {
    const lock = await taken()
    expect(await takeLock(path)).toMatchObject({ owner: { pid: process.pid, host: hostname() } })
    lock.release()
    expect(readdirSync(folder)).toEqual([])
    ;(await taken()).release()
  })

  it('waits for another owner as long as it is told to', async () => {
    const lock = await taken()
    setTimeout(() => lock.release(), 30)
    expect(await whileLocked(path, async () => 7, { wait: 10_000 })).toEqual({ value: 7 })
    const held = await taken()
    expect(await whileLocked(path, async () => 7, { wait: 5 })).toBeUndefined()
    held.release()
  })

  it('takes over what a dead process left, and what stayed empty', async () => {
    writeFileSync(path, owner({ pid: endedPid() }))
    ;(await taken()).release()
    for (const damaged of ['', '12345', '{}', 'null', '{"pid":1}', '{"pid":']) {
      writeFileSync(path, damaged)
      utimesSync(path, 1, 1)
      ;(await taken()).release()
    }
    expect(readdirSync(folder)).toEqual([])
  })

  it('a lock that has no contents yet is waited for: its owner gets a name, or never does', async () => {
    writeFileSync(path, '')
    setTimeout(() => writeFileSync(path, owner({ pid: process.ppid, host: 'another' })), 30)
    expect(await takeLock(path)).toMatchObject({ owner: { pid: process.ppid, host: 'another' } })
    writeFileSync(path, '')
    ;(await taken()).release()
  })

  it.skipIf(process.platform !== 'linux')(
    `takes over what a process left whose parent never asked how it ended${process.platform === 'linux' ? '' : ' (not Linux)'}`,
    async () => {
      // A shell that starts one process and becomes another, which asks after none.
      const parent = spawn('sh', ['-c', 'sh -c "echo \\$\\$; exec sleep 0.1" & exec sleep 60'])
      try {
        const [line] = (await once(parent.stdout, 'data')) as [Buffer]
        const pid = Number(line.toString())
        const started = Date.now()
        const state = () => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]![0]
        await expect.poll(state, { timeout: 5000 }).toBe('Z')
        writeFileSync(path, owner({ pid, started }))
        ;(await taken()).release()
      } finally {
        parent.kill('SIGKILL')
      }
    },
  )

  it('does not take a lock of a living process, of a reused pid only when that began later, or of another host', async () => {
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'])
    try {
      writeFileSync(path, owner({ pid: child.pid, started: Date.now() }))
      expect(await takeLock(path)).toMatchObject({ owner: { pid: child.pid } })
      writeFileSync(path, owner({ pid: endedPid(), host: 'elsewhere' }))
      expect(await takeLock(path)).toMatchObject({ owner: { host: 'elsewhere' } })
      writeFileSync(path, owner({ pid: child.pid, started: 1000 }))
      if (process.platform === 'linux') (await taken()).release()
    } finally {
      child.kill()
    }
  })

  it('many that find a dead owner at once: never two hold it', async () => {
    let inside = 0
    let most = 0
    let done = 0
    for (let round = 0; round < 4; round++) {
      writeFileSync(path, owner({ pid: endedPid(), token: `${round}-dead-owner` }))
      await Promise.all(
        Array.from({ length: 12 }, async () => {
          const held = await whileLocked(
            path,
            async () => {
              most = Math.max(most, ++inside)
              await new Promise((resolve) => setTimeout(resolve, 1))
              inside--
            },
            { wait: 20_000 },
          )
          if (held !== undefined) done++
        }),
      )
    }
    expect([most, done]).toEqual([1, 48])
  })

  it('leaves alone what another has taken in the meantime', async () => {
    const lock = await taken()
    rmSync(path)
    const other = await taken()
    const text = readFileSync(path, 'utf8')
    lock.release()
    expect(readFileSync(path, 'utf8')).toBe(text)
    other.release()
  })
})
