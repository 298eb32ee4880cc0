import type { FloatBuffer } from '../backend/port.js'
import { hash32 } from '../base/rng.js'
import type { Comm, DeviceLink } from '../comm/index.js'
import { gatherRows, type Parameter, type RowShare, rowShare, type Tape } from '../nn/index.js'
import type { EmbeddedBatch, Similarity } from '../similarity/index.js'
import type { PairBatch } from './batch-source.js'

/** Padded rows of one side of a batch, with its share where it is divided. */
type Rows = PairBatch['audio'] | PairBatch['text']

/**
 * The rows of a rank of a batch that all ranks have; both sides are divided by themselves, since text may have written captions behind those of
 * the items. Null for a batch of fewer items than ranks, which each rank computes whole.
 */
export function ownRows(
  { audio, text }: PairBatch,
  { rank, size }: Comm,
): Pick<PairBatch, 'audio' | 'text'> | null {
  if (audio.n < size) return null
  const [clips, captions] = [rowShare(audio.n, rank, size), rowShare(text.n, rank, size)]
  return {
    audio: { ...audio, ...cut(audio, clips), features: rowsOf(audio.features, audio.t * audio.bands, clips) },
    text: { ...text, ...cut(text, captions), tokens: rowsOf(text.tokens, text.width, captions) },
  }
}

/** What scores depend on of both sides, of the rows of all ranks, in the order of the batch. Throws RANK_LOST. */
export function gatherPairs(
  tape: Tape,
  comm: Comm,
  similarity: Similarity,
  own: Pick<PairBatch, 'audio' | 'text'>,
  embedded: { readonly audio: EmbeddedBatch; readonly text: EmbeddedBatch },
  what: string,
): { audio: EmbeddedBatch; text: EmbeddedBatch } {
  const whole = (side: 'audio' | 'text'): EmbeddedBatch => {
    const { values, lengths } = similarity.prepare(tape, embedded[side])
    const name = `${what}, ${side}`
    return {
      values: gatherRows(tape, values, own[side].share!, comm, name),
      lengths: lengths === null ? null : gatherIntegers(comm, lengths, name),
    }
  }
  return { audio: whole('audio'), text: whole('text') }
}

/** A name for a batch by which ranks see whether they have the same. */
export function nameOfBatch({ items, audio, text }: PairBatch): string {
  const ids = items.map(({ clip, caption }) => `${clip.id} ${caption.id}`).join('\n')
  const name = hash32(`${ids}\n${audio.n} ${audio.t} ${text.n} ${text.width}`)
  return name.toString(16).padStart(8, '0')
}

/**
 * Sums the gradients over ranks, in rank order unless a link adds them. Of parameters that `whole` names each rank has the whole gradient: that of rank 0
 * counts. A parameter has a gradient where it has one on any rank. Throws RANK_LOST.
 */
export function sumGradients(
  comm: Comm,
  parameters: ReadonlyMap<string, Parameter>,
  whole: ReadonlySet<string>,
  what: string,
): void {
  const counted = [...parameters].map(([name, parameter]) => ({
    parameter,
    grad: comm.rank > 0 && whole.has(name) ? null : parameter.grad,
  }))
  if (comm.link !== undefined) return sumOnDevices(comm, comm.link, counted, what)
  const length = counted.reduce((sum, { parameter }) => sum + parameter.size + 1, 0)
  const sums = new Float32Array(length)
  let at = 0
  for (const { parameter, grad } of counted) {
    if (grad !== null) {
      sums[at] = 1
      sums.set(parameter.backend.memory.download(grad), at + 1)
    }
    at += parameter.size + 1
  }
  comm.allReduce(sums, what)
  at = 0
  for (const { parameter } of counted) {
    if (sums[at]! > 0) {
      const { memory } = parameter.backend
      parameter.grad ??= memory.alloc(parameter.size)
      memory.upload(sums.subarray(at + 1, at + 1 + parameter.size), parameter.grad)
    }
    at += parameter.size + 1
  }
}

/** A parameter, and its gradient where it counts. */
interface Counted {
  readonly parameter: Parameter
  readonly grad: FloatBuffer | null
}

function sumOnDevices(comm: Comm, link: DeviceLink, counted: readonly Counted[], what: string): void {
  const sizes = counted.reduce((sum, { parameter }) => sum + parameter.size, 0)
  const own = Uint8Array.from(counted, ({ grad }) => (grad === null ? 0 : 1))
  const given = comm.allGather(own, `${what} (${counted.length} parameters of ${sizes} numbers)`)
  const sums = counted.flatMap(({ parameter, grad }, i) => {
    if (given.every((part) => part[i] === 0)) return []
    const { memory } = parameter.backend
    const sum = (parameter.grad ??= memory.alloc(parameter.size))
    if (grad === null) memory.fill(sum, 0)
    return [sum]
  })
  link.allReduce(sums)
}

function cut({ lengths }: Rows, share: RowShare): Pick<Rows, 'n' | 'lengths' | 'share'> {
  return { n: share.count, lengths: rowsOf(lengths, 1, share), share }
}

function rowsOf<T extends Float32Array | Int32Array>(
  values: T,
  width: number,
  { first, count }: RowShare,
): T {
  return values.subarray(first * width, (first + count) * width) as T
}

function gatherIntegers(comm: Comm, own: Int32Array, what: string): Int32Array {
  const parts = comm.allGather(new Uint8Array(own.buffer, own.byteOffset, own.byteLength), `${what} lengths`)
  return Int32Array.from(parts.flatMap((part) => [...new Int32Array(part.slice().buffer)]))
}
