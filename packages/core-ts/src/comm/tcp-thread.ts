// The thread that owns the connections of a rank: it joins the ranks, carries parts and answers, and sees who is lost. The main thread waits
// for it without an event loop, so nothing here may end in an error that it is not told.
import { randomBytes } from 'node:crypto'
import { connect, createServer, type Server, type Socket } from 'node:net'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import type { Nccl } from '@sonotext/native-cuda'
import { type PlainError, plainError, SonotextError } from '../base/errors.js'
import { Connection } from './connection.js'
import { type Frame, frameType } from './frames.js'
import { checkProof, proofOf, sameMac, welcomeOf } from './handshake.js'
import { type Address, addressOf, announce, ownAddress, withdraw } from './meeting.js'
import type { NamedPart } from './star.js'
import type { CommThreadSetup, CommThreadState, FromCommThread, ToCommThread } from './thread-message.js'

const { rank, size, meeting, joinTimeout, silence, port, posted } = workerData as CommThreadSetup
/** How long a connection may take to prove itself, ms. */
const proofTimeout = 5_000
/** Between two looks at NCCL, ms. */
const guardEvery = 500

/** The connections: of rank 0 to every other, of the others to rank 0. */
const peers = new Map<number, Connection>()
/** Ranks that said goodbye. */
const left = new Set<number>()
/** On rank 0: parts that have come. */
const parts = new Map<number, NamedPart>()
/** Whether the main thread waits. */
let asked = false
let over = false
let failure: PlainError | null = null
/** Set once this thread guards it. */
let nccl: Nccl | null = null
let server: Server | null = null

function post(message: FromCommThread, bytes: readonly Uint8Array[] = []): void {
  asked = false
  port.postMessage(
    message,
    bytes.map(({ buffer }) => buffer as ArrayBuffer),
  )
  Atomics.add(posted, 0, 1)
  Atomics.notify(posted, 0)
}

const tell = (state: CommThreadState): void => parentPort!.postMessage(state)

const lost = (message: string, code: 'RANK_LOST' | 'IN_USE' = 'RANK_LOST'): PlainError =>
  plainError(new SonotextError(code, message))

/** The run is over for this rank, and for all that it is connected to. */
function fail(error: PlainError): void {
  if (over) return
  over = true
  failure = error
  server?.close()
  for (const peer of peers.values()) {
    peer.sendJson(frameType.failed, error)
    void peer.end()
  }
  post({ kind: 'failed', error })
  tell({ kind: 'failed', error })
  nccl?.giveUp(error.message)
}

/**
 * The main thread may wait on a GPU for ever for a rank that is lost: only another thread can end that. What came before the main thread
 * had joined NCCL is told again.
 */
async function guardNccl(): Promise<void> {
  nccl = (await import('@sonotext/native-cuda')).loadAddon().nccl
  const look = (): void => {
    if (failure !== null) return nccl!.giveUp(failure.message)
    const problem = over ? null : nccl!.problem()
    if (problem !== null) fail(lost(`rank ${rank} of ${size} failed: ${problem}.`))
  }
  look()
  setInterval(look, guardEvery).unref()
}

function onEnd(of: number, why: string): void {
  if (!left.has(of)) fail(lost(`rank ${of} of ${size} was lost: ${why}.`))
}

function onFrame(of: number, { type, body }: Frame): void {
  if (type === frameType.failed) fail(JSON.parse(Buffer.from(body).toString()) as PlainError)
  else if (type === frameType.answer) post({ kind: 'answer', part: body }, [body])
  else if (type === frameType.part) {
    const text = new DataView(body.buffer).getUint32(0)
    parts.set(of, { what: Buffer.from(body.buffer, 4, text).toString(), part: body.slice(4 + text) })
    goOn()
  } else if (type === frameType.bye) {
    left.add(of)
    goOn()
  } else if (type === frameType.ready) tell({ kind: 'ready' })
}

/** Hands over the parts when all are there; a rank that left gives none. */
function goOn(): void {
  if (!asked || over) return
  const missing = [...peers.keys()].filter((peer) => !parts.has(peer))
  const gone = missing.find((peer) => left.has(peer))
  if (gone !== undefined) {
    fail(lost(`rank ${gone} of ${size} has left the run, but rank ${rank} goes on.`))
    return
  }
  if (rank > 0 || missing.length > 0) return
  const all = Array.from({ length: size - 1 }, (_, i) => parts.get(i + 1)!)
  parts.clear()
  post(
    { kind: 'parts', parts: all },
    all.map(({ part }) => part),
  )
}

function onRequest(request: ToCommThread): void {
  if (request.kind === 'close') void close(request.error)
  else if (request.kind === 'guardNccl') void guardNccl()
  else if (over) return
  else if (request.kind === 'gather') {
    asked = true
    goOn()
  } else if (request.kind === 'part') {
    asked = true
    const what = Buffer.from(request.what)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(what.length)
    peers.get(0)!.send(frameType.part, length, what, request.part)
    goOn()
  } else for (const peer of peers.values()) peer.send(frameType.answer, request.part)
}

async function close(error: PlainError | null): Promise<void> {
  over = true
  server?.close()
  await Promise.all(
    Array.from(peers.values(), (peer) => {
      if (error === null) peer.send(frameType.bye)
      else peer.sendJson(frameType.failed, error)
      return peer.end()
    }),
  )
  tell({ kind: 'closed' })
  port.close()
  parentPort!.close()
}

/** Rank 0: takes the others in. */
async function lead(): Promise<void> {
  const address = ownAddress(meeting)
  const loopback = /^(localhost|127\.|::1$)/.test(address.host)
  const listening = createServer((socket) => meet(socket, address.secret))
  server = listening
  // Strangers find no room to wait in.
  listening.maxConnections = size + 64
  await new Promise<void>((resolve, reject) => {
    listening.once('error', reject)
    // Whatever name others call this machine by, they come in: only who knows the secret stays.
    listening.listen(address.port, ...(loopback ? [address.host] : []), resolve)
  })
  listening.on('error', (error) => fail(lost(`rank 0 can take nobody in (${error.message}).`)))
  await announce(meeting, { ...address, port: (listening.address() as { port: number }).port })
  setTimeout(() => void giveUp(), joinTimeout).unref()
}

/** Rank 0 waits no longer. */
async function giveUp(): Promise<void> {
  if (peers.size === size - 1 || over) return
  const absent = Array.from({ length: size - 1 }, (_, i) => i + 1).filter((one) => !peers.has(one))
  await withdraw(meeting)
  fail(lost(`rank ${absent.join(', ')} of ${size} did not join in ${joinTimeout / 1000} s.`))
}

/** Whoever connects proves that it knows the secret, or goes. */
function meet(socket: Socket, secret: string): void {
  const challenge = randomBytes(32).toString('hex')
  let joined: number | null = null
  const late = setTimeout(() => connection.drop('no proof'), proofTimeout)
  const connection = new Connection(socket, {
    frame(frame) {
      if (joined !== null) return onFrame(joined, frame)
      const proof = frame.type === frameType.proof ? checkProof(secret, challenge, frame.body) : null
      if (proof === null) return connection.drop('no proof')
      clearTimeout(late)
      const refusal = refusalOf(proof)
      if (refusal !== null) {
        connection.sendJson(frameType.failed, lost(refusal))
        return void connection.end()
      }
      joined = proof.rank
      peers.set(joined, connection)
      connection.sendJson(frameType.welcome, welcomeOf(secret, challenge, proof.nonce))
      connection.trust(silence)
      if (peers.size === size - 1) void begin()
    },
    ended(why) {
      clearTimeout(late)
      if (joined !== null) onEnd(joined, why)
    },
  })
  connection.sendJson(frameType.challenge, challenge)
}

function refusalOf(proof: { readonly rank: number; readonly size: number }): string | null {
  if (proof.size !== size) return `rank ${proof.rank} is of a run of ${proof.size}, rank 0 of one of ${size}.`
  if (!(proof.rank >= 1 && proof.rank < size)) return `there is no rank ${proof.rank} of ${size}.`
  return peers.has(proof.rank) ? `two processes say that they are rank ${proof.rank} of ${size}.` : null
}

/** All are there. */
async function begin(): Promise<void> {
  server?.close()
  await withdraw(meeting)
  for (const peer of peers.values()) peer.send(frameType.ready)
  tell({ kind: 'ready' })
}

/** The others: look for rank 0 until it takes them in. */
async function join(): Promise<void> {
  const deadline = performance.now() + joinTimeout
  let why = 'it has not said where it listens'
  while (!over) {
    const address = await addressOf(meeting)
    const failure = address === null ? why : await attempt(address)
    if (failure === null) return
    why = failure
    if (performance.now() > deadline) {
      const where = address === null ? '' : ` at ${address.host}:${address.port}`
      fail(lost(`rank 0 of ${size} could not be joined${where} in ${joinTimeout / 1000} s: ${why}.`))
      return
    }
    await sleep(50)
  }
}

/** Null when it is in, else why not. */
function attempt({ host, port: at, secret }: Address): Promise<string | null> {
  const nonce = randomBytes(32).toString('hex')
  let challenge = ''
  let joined = false
  return new Promise((resolve) => {
    const late = setTimeout(() => connection.drop('it does not answer'), proofTimeout)
    const connection: Connection = new Connection(connect(at, host), {
      frame(frame) {
        const { type, body } = frame
        if (joined || type === frameType.failed) return onFrame(0, frame)
        const said: unknown = JSON.parse(Buffer.from(body).toString())
        if (type === frameType.challenge && challenge === '') {
          challenge = String(said)
          return connection.sendJson(frameType.proof, proofOf(secret, challenge, { rank, size, nonce }))
        }
        if (type !== frameType.welcome || !sameMac(said, welcomeOf(secret, challenge, nonce)))
          return connection.drop('it is not of this run')
        joined = true
        clearTimeout(late)
        connection.trust(silence)
        peers.set(0, connection)
        resolve(null)
      },
      ended(why) {
        clearTimeout(late)
        if (joined) onEnd(0, why)
        else resolve(challenge === '' ? why : 'it does not take this process in; is the secret the same?')
      },
    })
  })
}

// Whatever goes wrong here, the main thread must not wait for ever.
process.on('uncaughtException', (error) => fail(plainError(error)))
parentPort!.on('message', onRequest)
try {
  await (rank === 0 ? lead() : join())
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException
  fail(code === 'EADDRINUSE' ? lost(`rank 0 cannot listen: ${message}.`, 'IN_USE') : plainError(error))
}
