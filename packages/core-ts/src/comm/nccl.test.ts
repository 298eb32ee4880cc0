import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missing } from '../../../../tools/program.mjs'
import { emulatedGpus } from '../testing/emulated-gpus.js'

// Ranks are processes, and these run what is built, on emulated GPUs and with a stand-in for NCCL.
const dist = fileURLToPath(new URL('../../dist/', import.meta.url))
const gpus = emulatedGpus(3)
const reason = !existsSync(join(dist, 'comm/nccl.js'))
  ? 'the TypeScript is not built: npm run setup'
  : gpus === null
    ? (missing('cmake') ?? 'emulated GPUs are built with CMake only')
    : null

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-nccl-'))
  await writeFile(join(folder, 'damaged.so'), 'no library')
  await writeFile(
    join(folder, 'rank.mjs'),
    `const { joinTcp, ncclComm } = await import(${JSON.stringify(dist)} + 'comm/index.js')
     const { openBackend } = await import(${JSON.stringify(dist)} + 'backend/index.js')
     const { body, device, ...options } = JSON.parse(process.argv[2])
     const notes = []
     let comm
     try {
       comm = await joinTcp(options)
       const backend = openBackend({ device })
       comm = ncclComm(comm, backend, { onFallback: (note) => notes.push(note) })
       const run = new (Object.getPrototypeOf(async function () {}).constructor)('comm', 'backend', body)
       const result = await run(comm, backend)
       await comm.close()
       process.send({ result, notes, linked: comm.link !== undefined })
     } catch (error) {
       await comm?.close(error)
       process.send({ code: error.code, message: error.message })
     }
     process.disconnect()`,
  )
})
afterAll(() => rm(folder, { recursive: true }))

/** What a rank said last; null when it was killed. */
interface Outcome {
  readonly result?: unknown
  readonly notes?: readonly string[]
  readonly linked?: boolean
  readonly code?: string
  readonly message?: string
}

/** A rank's device and further variables. */
type Seat = Readonly<Record<string, string>> & { readonly device?: string }

let meetings = 0
function ranks(body: string, seats: readonly Seat[]): Promise<(Outcome | null)[]> {
  const meeting = { file: join(folder, `meeting-${meetings++}`) }
  return Promise.all(
    seats.map(({ device = 'cuda', ...env }, rank) => {
      const setup = { rank, size: seats.length, meeting, body, device, joinTimeout: 60_000 }
      const child = spawn(process.execPath, [join(folder, 'rank.mjs'), JSON.stringify(setup)], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        env: { ...process.env, ...gpus, ...env },
      })
      let last: Outcome | null = null
      child.on('message', (said) => (last = said as Outcome))
      return new Promise<Outcome | null>((resolve) => child.once('exit', () => resolve(last)))
    }),
  )
}

const two: readonly Seat[] = [{ device: 'cuda:0' }, { device: 'cuda:1' }]
/** Two GPUs, something wrong on rank 1. */
const wrong = (env: Seat): readonly Seat[] => [two[0]!, { ...two[1]!, ...env }]

const helpers = `
  const { memory } = backend
  const uploaded = (values) => {
    const buffer = memory.alloc(values.length)
    memory.upload(values, buffer)
    return buffer
  }`
const fourSums = `${helpers}
  const buffer = uploaded(Float32Array.of(comm.rank + 1, 10))
  for (let i = 0; i < 4; i++) {
    comm.barrier('sum ' + i)
    comm.link.allReduce([buffer])
  }
  return [...memory.download(buffer)]`

describe.skipIf(reason !== null)(`ranks joined by NCCL${reason === null ? '' : ` (${reason})`}`, () => {
  it('sums and gathers buffers of any lengths, in the order of what is enqueued, with the same bits on all ranks', async () => {
    const body = `${helpers}
      const { createHash } = await import('node:crypto')
      const value = (rank, i) => Math.fround(Math.sin(1 + rank * 13 + i) * 10 ** ((i + rank) % 9 - 4))
      const values = (rank, length) => Float32Array.from({ length }, (_, i) => value(rank, i))
      const everyRank = Array.from({ length: comm.size }, (_, rank) => rank)
      const hash = createHash('sha256')
      const lengths = [1, 70_001, 0, 300_000]
      const buffers = lengths.map((length) => uploaded(values(comm.rank, length)))
      // Every sum is doubled by an op before, and halved by one behind.
      const scaled = (factor) => buffers.forEach((x) => backend.run('scale', { x, out: x, factor }))
      scaled(2)
      comm.barrier('sums')
      comm.link.allReduce(buffers)
      scaled(0.5)
      let furthest = 0
      for (const buffer of buffers) {
        const sums = memory.download(buffer)
        hash.update(sums)
        sums.forEach((sum, i) => {
          const parts = everyRank.map((rank) => value(rank, i))
          const wanted = parts.reduce((a, b) => a + b)
          const size = parts.reduce((a, b) => a + Math.abs(b), 0)
          furthest = Math.max(furthest, Math.abs(sum - wanted) / size)
        })
      }
      const parts = [5, 0, 70_001].slice(0, comm.size)
      const whole = memory.alloc(parts.reduce((a, b) => a + b))
      comm.barrier('parts')
      comm.link.allGather(uploaded(values(comm.rank, parts[comm.rank])), whole, parts)
      const gathered = memory.download(whole)
      const wanted = Float32Array.from(parts.flatMap((length, rank) => [...values(rank, length)]))
      const same = Buffer.compare(Buffer.from(gathered.buffer), Buffer.from(wanted.buffer)) === 0
      await comm.close()
      // The device outlives the link.
      backend.run('scale', { x: whole, out: whole, factor: 0 })
      return { furthest, same, after: memory.download(whole)[0], bits: hash.digest('hex') }`
    for (const seats of [two, [...two, { device: 'cuda:2' }]]) {
      const done = await ranks(body, seats)
      for (const outcome of done) expect(outcome).toEqual(done[0])
      expect(done[0]).toMatchObject({ linked: true, notes: [], result: { same: true, after: 0 } })
      expect((done[0]!.result as { furthest: number }).furthest).toBeLessThan(1e-6)
    }
  })

  it('batch norm takes its statistics over the rows of all GPUs: forward, backward and what is kept', async () => {
    const body = `${helpers}
      const { batchNorm, Parameter, Tape, Tensor } = await import(${JSON.stringify(dist)} + 'nn/index.js')
      const { openBackend } = await import(${JSON.stringify(dist)} + 'backend/index.js')
      const c = 5
      const counts = [3, 1, 7].slice(0, comm.size)
      const total = counts.reduce((a, b) => a + b)
      const first = counts.slice(0, comm.rank).reduce((a, b) => a + b, 0)
      // Channels far from 0, and one of very different ranks.
      const x = Float32Array.from({ length: total * c }, (_, e) => Math.sin(3 * e + 1) + 5 * (e % c) + (e % c === 2 ? 40 * (e > 3 * c) : 0))
      const gradients = Float32Array.from({ length: total * c }, (_, e) => Math.cos(2 * e + 1))
      const state = (on) => ({
        gamma: Parameter.from(on, [c], [1, 2, -1, 0.5, 3]),
        beta: Parameter.from(on, [c], [0, 1, 2, 3, 4]),
        runningMean: Tensor.from(on, [c], Array(c).fill(0)),
        runningVar: Tensor.from(on, [c], Array(c).fill(1)),
      })
      const pass = (on, from, rows, own, more) => {
        using tape = new Tape(on, { training: true, ...more })
        const part = (values) => values.subarray(from * c, (from + rows) * c)
        const input = tape.variable([rows, c], part(x))
        const out = batchNorm(tape, input, own)
        const loss = tape.result([1], [out])
        on.memory.fill(loss.buffer, 0)
        tape.record(loss, () => {
          const gradient = tape.alloc(rows * c)
          on.memory.upload(part(gradients), gradient)
          tape.accumulate(out, gradient)
        })
        const made = Array.from(out.toArray())
        tape.backward(loss)
        return { made, back: Array.from(tape.gradientOf(input)) }
      }
      const mine = state(backend)
      const { made, back } = pass(backend, first, counts[comm.rank], mine, { comm })
      comm.barrier('gradients')
      comm.link.allReduce([mine.gamma.grad, mine.beta.grad])
      const judge = openBackend({ device: 'reference' })
      const wanted = state(judge)
      const whole = pass(judge, 0, total, wanted, {})
      const rows = (values) => values.slice(first * c, (first + made.length / c) * c)
      const furthest = (a, b) => Math.max(...a.map((value, i) => Math.abs(value - b[i]) / Math.max(1, Math.abs(b[i]))))
      const kept = (own, on) => [own.runningMean.buffer, own.runningVar.buffer, own.gamma.grad, own.beta.grad].flatMap((buffer) => Array.from(on.memory.download(buffer)))
      return Math.max(
        furthest(made, rows(whole.made)),
        furthest(back, rows(whole.back)),
        furthest(kept(mine, backend), kept(wanted, judge)),
      )`
    const three = [...two, { device: 'cuda:2' }]
    for (const outcome of await ranks(body, three)) {
      expect(outcome).toMatchObject({ linked: true })
      expect(outcome!.result).toBeLessThan(2e-5)
    }
  })

  const nowhere = '/nowhere/libnccl.so'
  it.each<[string, readonly Seat[], RegExp]>([
    [
      'no such library',
      two.map((seat) => ({ ...seat, SONOTEXT_NCCL: nowhere })),
      /rank 0 has none: \/nowhere/,
    ],
    ['none on one machine', wrong({ SONOTEXT_NCCL: nowhere }), /rank 1 has none: \/nowhere.* cannot open/],
    [
      'another library',
      wrong({ SONOTEXT_NCCL: 'libm.so.6' }),
      /rank 1 .*libm\.so\.6 is no NCCL .* ncclGetVersion/,
    ],
    ['one that is too old', wrong({ FAKE_NCCL: 'version=2804' }), /is NCCL 2\.8\.4, and 2\.18\.0 or newer/],
    [
      'another version',
      wrong({ FAKE_NCCL: 'version=22000' }),
      /rank 1 has version 2\.20\.0, rank 0 version 2\.27\.3/,
    ],
    ['it is not wanted', wrong({ SONOTEXT_NCCL: '0' }), /rank 1 has none: SONOTEXT_NCCL=0 asks for none/],
    [
      'one GPU for two ranks',
      [two[0]!, two[0]!],
      /ranks 0 and 1 share the GPU cuda:0, and it takes one a rank/,
    ],
    ['a rank on the CPU', wrong({ device: 'cpu' }), /rank 1 computes on cpu/],
  ])('%s: numbers go through the host, and rank 0 says why', async (_, seats, why) => {
    const body = `const values = Float32Array.of(comm.rank + 1)
      comm.allReduce(values, 'sum')
      return values[0]`
    const [zero, one] = await ranks(body, seats)
    expect(zero).toEqual({ result: 3, linked: false, notes: [expect.stringMatching(why)] })
    expect(zero!.notes![0]).toMatch(/^NCCL is not used: .* What the GPUs exchange goes through the host\.$/)
    expect(one).toEqual({ result: 3, linked: false, notes: [] })
  })

  it('a damaged library is named', async () => {
    const [zero] = await ranks(`return 0`, wrong({ SONOTEXT_NCCL: join(folder, 'damaged.so') }))
    expect(zero!.notes).toEqual([expect.stringContaining('damaged.so: file too short')])
  })

  it('on the CPU nobody speaks of NCCL', async () => {
    for (const outcome of await ranks(`return 0`, [{ device: 'cpu' }, { device: 'cpu' }]))
      expect(outcome).toEqual({ result: 0, linked: false, notes: [] })
  })

  it('a beginning that fails is an error of that rank, with what to do; the others name it', async () => {
    const [zero, one] = await ranks(fourSums, wrong({ FAKE_NCCL: 'join=0' }))
    expect(one).toEqual({
      code: 'DEVICE_ERROR',
      message: expect.stringMatching(
        /^NCCL could not begin: .* NCCL says: internal error .* SONOTEXT_NCCL=0 does without it\.$/,
      ) as string,
    })
    expect(zero).toMatchObject({
      code: 'RANK_LOST',
      message: expect.stringContaining('rank 1 of 2 failed: NCCL could not begin') as string,
    })
  })

  it('a collective that returns an error is one of that rank; the others, which wait for it, name it', async () => {
    const [zero, one] = await ranks(fourSums, wrong({ FAKE_NCCL: 'fail=2' }))
    const said = 'allReduce failed on the device: NCCL says: internal error (it was asked to fail).'
    expect(one).toEqual({ code: 'DEVICE_ERROR', message: said })
    expect(zero).toEqual({ code: 'RANK_LOST', message: `rank 1 of 2 failed: ${said}` })
  })

  it('what NCCL finds to be wrong while a rank waits ends all of them', async () => {
    for (const outcome of await ranks(fourSums, wrong({ FAKE_NCCL: 'async=3' })))
      expect(outcome).toEqual({
        code: 'RANK_LOST',
        message:
          'rank 1 of 2 failed: NCCL says: remote process exited or there was a network error (it was asked to fail).',
      })
  })

  it.each(['die=0', 'die=2', 'die=4'])(
    'a rank that is gone (%s) is named by the others, which wait for it',
    async (how) => {
      const seats = [{ device: 'cuda:0' }, { device: 'cuda:1', FAKE_NCCL: how }, { device: 'cuda:2' }]
      const [zero, one, two] = await ranks(fourSums, seats)
      expect(one).toBeNull()
      for (const other of [zero, two])
        expect(other).toEqual({
          code: 'RANK_LOST',
          message: expect.stringContaining('rank 1 of 3 was lost') as string,
        })
    },
  )
})
