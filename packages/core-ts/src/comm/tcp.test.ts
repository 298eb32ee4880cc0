import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Address, Meeting } from './meeting.js'

// Ranks are processes, and these run what is built.
const dist = fileURLToPath(new URL('../../dist/', import.meta.url))
const built = existsSync(join(dist, 'comm/index.js'))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-comm-'))
  await writeFile(
    join(folder, 'rank.mjs'),
    `const { joinTcp, singleComm } = await import(${JSON.stringify(dist)} + 'comm/index.js')
     const { body, ...options } = JSON.parse(process.argv[2])
     const say = (value) => process.send(value)
     let comm
     try {
       comm = options.size === 1 ? singleComm() : await joinTcp(options)
       say('joined')
       const run = new (Object.getPrototypeOf(async function () {}).constructor)('comm', 'say', body)
       say({ result: await run(comm, say) })
       await comm.close()
     } catch (error) {
       await comm?.close(error)
       say({ code: error.code, message: error.message })
     }
     process.disconnect()`,
  )
})
afterAll(() => rm(folder, { recursive: true }))

interface Rank {
  readonly child: ChildProcess
  /** What it said last: a result, or how it failed. Null when it was killed. */
  readonly outcome: Promise<{ result?: unknown; code?: string; message?: string } | null>
  joined: Promise<void>
}

function start(body: string, rank: number, size: number, meeting: Meeting, more: object = {}): Rank {
  const setup = { rank, size, meeting, body, joinTimeout: 60_000, ...more }
  const child = spawn(process.execPath, [join(folder, 'rank.mjs'), JSON.stringify(setup)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  let last: object | null = null
  const joined = new Promise<void>((resolve) =>
    child.on('message', (said) => {
      if (said === 'joined') resolve()
      else last = said as object
    }),
  )
  return { child, joined, outcome: new Promise((resolve) => child.once('exit', () => resolve(last))) }
}

let meetings = 0
const meet = (): { file: string } => ({ file: join(folder, `meeting-${meetings++}`) })

function all(body: string, size: number, more: object = {}, meeting: Meeting = meet()): Rank[] {
  return Array.from({ length: size }, (_, rank) => start(body, rank, size, meeting, more))
}

const outcomes = (ranks: readonly Rank[]) => Promise.all(ranks.map(({ outcome }) => outcome))

/** Does every round and compares it with what the seeds say; returns the bits of all sums. */
const rounds = (plan: readonly object[]) => `
  const { createHash } = await import('node:crypto')
  const hash = createHash('sha256')
  // Any numbers, the same on all ranks, of very different sizes.
  const value = (seed, rank, i) => Math.sin(1 + seed * 7 + rank * 13 + i) * 10 ** ((seed + i + rank) % 9 - 4)
  const bytes = (seed, rank, length) => Uint8Array.from({ length }, (_, i) => seed + 31 * rank + i)
  for (const [i, { op, lengths, seed, wide }] of ${JSON.stringify(plan)}.entries()) {
    const what = op + ' ' + i
    const length = lengths[comm.rank % lengths.length]
    const wanted = Array.from({ length: comm.size }, (_, r) => bytes(seed, r, lengths[r % lengths.length]))
    let good = true
    if (op === 'gather') {
      const parts = comm.allGather(bytes(seed, comm.rank, length), what)
      good = parts.length === comm.size && parts.every((part, r) => Buffer.compare(part, wanted[r]) === 0)
    } else if (op === 'sum') {
      const type = wide ? Float64Array : Float32Array
      const own = (rank) => type.from({ length: lengths[0] }, (_, e) => value(seed, rank, e))
      const sums = own(comm.rank)
      comm.allReduce(sums, what)
      const parts = Array.from({ length: comm.size }, (_, r) => own(r))
      const exact = type.from(sums, (_, e) => parts.reduce((sum, part) => sum + part[e], 0))
      good = Buffer.compare(new Uint8Array(sums.buffer), new Uint8Array(exact.buffer)) === 0
      hash.update(sums)
    } else if (op === 'broadcast') {
      const got = comm.broadcast(comm.rank === 0 ? wanted[0] : null, what)
      good = Buffer.compare(got, wanted[0]) === 0
    } else comm.barrier(what)
    if (!good) throw new Error('wrong in round ' + what)
  }
  return hash.digest('hex')`

const round = fc.record({
  op: fc.constantFrom('gather', 'sum', 'broadcast', 'barrier'),
  lengths: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40 }), fc.constant(70_001)), {
    minLength: 1,
    maxLength: 4,
  }),
  seed: fc.nat(1000),
  wide: fc.boolean(),
})

describe.skipIf(!built)(
  `ranks joined by TCP${built ? '' : ' (the TypeScript is not built: npm run setup)'}`,
  () => {
    it.each([1, 2, 3, 4])('%i ranks: collectives of any lengths, many rounds', async (size) => {
      await fc.assert(
        fc.asyncProperty(fc.array(round, { minLength: 60, maxLength: 120 }), async (plan) => {
          const done = await outcomes(all(rounds(plan), size))
          expect(done[0]).toEqual({ result: expect.stringMatching(/^[0-9a-f]{64}$/) as string })
          for (const outcome of done) expect(outcome).toEqual(done[0])
        }),
        { numRuns: 2 },
      )
    })

    it('parts of many megabytes pass', async () => {
      const body = `const [part] = [new Float32Array(3e6).fill(comm.rank + 1)]
      comm.allReduce(part, 'large')
      return [part[0], part.at(-1)]`
      expect(await outcomes(all(body, 3))).toEqual(Array(3).fill({ result: [6, 6] }))
    })

    it('two runs at once do not meet each other', async () => {
      const body = (
        name: string,
      ) => `return Array.from(comm.allGather(Buffer.from('${name}' + comm.rank), 'names'), String)
      .map((codes) => String.fromCharCode(...codes.split(',')))`
      const [a, b] = await Promise.all([outcomes(all(body('a'), 3)), outcomes(all(body('b'), 3))])
      expect(a).toEqual(Array(3).fill({ result: ['a0', 'a1', 'a2'] }))
      expect(b).toEqual(Array(3).fill({ result: ['b0', 'b1', 'b2'] }))
    })

    it.each([0, 2])('rank %i is killed in the middle: the others end, and name it', async (victim) => {
      const ranks = all(`for (let i = 0; ; i++) comm.allReduce(new Float32Array(1000), 'step ' + i)`, 3)
      await Promise.all(ranks.map(({ joined }) => joined))
      ranks[victim]!.child.kill('SIGKILL')
      for (const [rank, outcome] of (await outcomes(ranks)).entries()) {
        if (rank === victim) expect(outcome).toBeNull()
        else
          expect(outcome).toMatchObject({
            code: 'RANK_LOST',
            message: expect.stringContaining(`rank ${victim} of 3 was lost`) as string,
          })
      }
    })

    it('a rank that is stopped counts as lost once it has been silent too long; one that computes does not', async () => {
      const body = `const end = Date.now() + 2500
      while (comm.rank === 1 && Date.now() < end);
      comm.barrier('after work')
      if (comm.rank === 1) {
        say({ worked: true })
        await new Promise(() => setInterval(() => {}, 1000))
      }
      comm.barrier('never')`
      const [zero, one] = all(body, 2, { silence: 1000 }) as [Rank, Rank]
      await one.joined
      await new Promise((resolve) => one.child.once('message', resolve))
      one.child.kill('SIGSTOP')
      expect(await zero.outcome).toEqual({
        code: 'RANK_LOST',
        message: 'rank 1 of 2 was lost: it has said nothing for 1 s.',
      })
      one.child.kill('SIGKILL')
      expect(await one.outcome).toEqual({ worked: true })
    })

    it('a rank that fails tells the others what failed', async () => {
      const body = `if (comm.rank === 1) throw new Error('no such clip')
      comm.barrier('all')`
      const [zero, one, two] = await outcomes(all(body, 3))
      expect(one).toMatchObject({ message: 'no such clip' })
      for (const other of [zero, two])
        expect(other).toEqual({ code: 'RANK_LOST', message: 'rank 1 of 3 failed: no such clip' })
    })

    it('ranks that go apart are told where', async () => {
      const body = `comm.barrier('one')
      if (comm.rank === 2) comm.allReduce(new Float32Array(2), 'gradients')
      else comm.allReduce(new Float32Array(3), 'gradients')`
      for (const outcome of await outcomes(all(body, 3))) {
        expect(outcome!.code).toBe('RANK_LOST')
        expect(outcome!.message).toContain(
          'rank 2 came with "gradients (2 Float32Array)", rank 0 with "gradients (3 Float32Array)"',
        )
      }
    })

    it('a rank that leaves while others go on is named', async () => {
      const [zero, one] = await outcomes(all(`if (comm.rank === 0) comm.barrier('more')`, 2))
      expect(one).toEqual({})
      expect(zero).toMatchObject({
        code: 'RANK_LOST',
        message: expect.stringContaining('rank 1 of 2 has left') as string,
      })
    })

    it('strangers are not taken in, and do not disturb', async () => {
      const meeting = meet()
      const body = `return Array.from(comm.allGather(Buffer.from([comm.rank]), 'all'), ([rank]) => rank)`
      const first = start(body, 0, 2, meeting)
      while (!existsSync(meeting.file)) await new Promise((resolve) => setTimeout(resolve, 10))
      const address = JSON.parse(await readFile(meeting.file, 'utf8')) as Address
      // Someone who talks, someone who claims a gigabyte, someone who says nothing, and one with another secret.
      const noise = [
        Buffer.from('GET / HTTP/1.1\r\n\r\n'),
        Buffer.from([4, 0, 0, 255, 0, 0, 0]),
        Buffer.alloc(0),
      ]
      const sockets = noise.map(() =>
        connect(address.port, address.host)
          .on('error', () => {})
          .on('data', () => {}),
      )
      sockets.forEach((socket, i) => socket.write(noise[i]!))
      const closed = Promise.all(
        sockets.slice(0, 2).map((socket) => new Promise((resolve) => socket.once('close', resolve))),
      )
      const wrong = start(
        body,
        1,
        2,
        { ...address, secret: 'another secret of the same kind' },
        { joinTimeout: 500 },
      )
      expect(await wrong.outcome).toMatchObject({
        code: 'RANK_LOST',
        message: expect.stringContaining('is the secret the same?') as string,
      })
      await closed
      const second = start(body, 1, 2, meeting)
      expect(await outcomes([first, second])).toEqual(Array(2).fill({ result: [0, 1] }))
      expect(existsSync(meeting.file)).toBe(false)
      for (const socket of sockets) socket.destroy()
    })

    it('a rank does not take a stranger for rank 0', async () => {
      const server = createServer((socket) => {
        const body = Buffer.from(JSON.stringify('00'.repeat(32)))
        const frame = (type: number, bytes: Buffer) => {
          const header = Buffer.alloc(7)
          header.writeUInt8(type)
          header.writeUIntBE(bytes.length, 1, 6)
          return Buffer.concat([header, bytes])
        }
        socket.on('error', () => {})
        socket.write(frame(1, body))
        socket.once('data', () => socket.write(frame(3, body)))
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as { port: number }
      const meeting = { host: '127.0.0.1', port, secret: 'a secret of the run' }
      const outcome = await start('', 1, 2, meeting, { joinTimeout: 300 }).outcome
      server.close()
      expect(outcome).toMatchObject({
        code: 'RANK_LOST',
        message: expect.stringContaining('rank 0 of 2 could not be joined') as string,
      })
    })

    it('ranks that do not come are named, and two of one number are refused', async () => {
      const meeting = meet()
      const alone = start('', 0, 3, meeting, { joinTimeout: 700 })
      const there = start('', 1, 3, meeting, { joinTimeout: 700 })
      for (const outcome of await outcomes([alone, there]))
        expect(outcome).toMatchObject({ code: 'RANK_LOST', message: 'rank 2 of 3 did not join in 0.7 s.' })
      const again = meet()
      const three = [
        start('', 0, 3, again, { joinTimeout: 2000 }),
        start('', 1, 3, again, { joinTimeout: 2000 }),
      ]
      await new Promise((resolve) => setTimeout(resolve, 500))
      expect(await start('', 1, 3, again, { joinTimeout: 2000 }).outcome).toMatchObject({
        message: expect.stringMatching(
          /two processes say that they are rank 1 of 3|could not be joined/,
        ) as string,
      })
      for (const { child } of three) child.kill('SIGKILL')
      await outcomes(three)
    })

    it('an address that is taken is said', async () => {
      const server = createServer(() => {})
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as { port: number }
      const outcome = await start('', 0, 2, { host: '127.0.0.1', port, secret: 'a secret of the run' })
        .outcome
      server.close()
      expect(outcome).toMatchObject({
        code: 'IN_USE',
        message: expect.stringContaining('EADDRINUSE') as string,
      })
    })
  },
)
