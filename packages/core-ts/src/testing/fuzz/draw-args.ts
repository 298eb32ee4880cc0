import type { OpArgs, OpName } from '../../backend/port.js'
import { referenceBackend } from '../../backend/reference/index.js'
import type { BufferRule } from '../../backend/rules.js'
import type { Rng } from '../../base/rng.js'
import { drawNumbers } from './draw-numbers.js'
import { isBuffer, isWritten, rulesOf, type Values } from './rules.js'

/** Lengths that nothing fixes: around vector widths, past a chunk of the element-wise ops. */
const lengths = [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100, 1000, 1025, 5000, 70_000]

/** Averages of squares: a negative one cancels against the next square, and the result is the rounding of what is left. */
const squares: ReadonlySet<string> = new Set(['adam.v', 'batch_norm.runningVar'])

/**
 * Arguments of an op that fit its signature, sizes near the edges of vectors and blocks. What relates arguments beyond their
 * signature may still be wrong: then every backend must refuse the call. `given` stands for arguments that are known already.
 */
export function drawArgs(rng: Rng, op: OpName, given: Values = {}): Values {
  const args: Values = { ...given }
  drawNumbers(rng, op, args)
  const buffers = rulesOf(op).filter((entry): entry is [string, BufferRule<Values>] => isBuffer(entry[1]))
  const ragged = new Map(buffers.flatMap(([name, { offsets }]) => (offsets ? [[offsets.over, name]] : [])))
  // First what fixes the lengths of others.
  const rank = (name: string, { free, offsets }: BufferRule<Values>): number =>
    offsets ? 0 : free && !ragged.has(name) ? 1 : 2
  const fill = filler(rng, op)
  for (const [name, rule] of buffers.toSorted(([a, x], [b, y]) => rank(a, x) - rank(b, y))) {
    if (Object.hasOwn(args, name)) continue
    const offsets = args[ragged.get(name) ?? '']
    // A ragged buffer is there when its offsets are, as a rule.
    const none = offsets === undefined ? rng.int(4) === 0 : (offsets === null) !== (rng.int(20) === 0)
    if (rule.nullable && none) {
      args[name] = null
      continue
    }
    const length =
      offsets instanceof Int32Array ? offsets.at(-1)! : rule.free ? rng.pick(lengths) : rule.size(args)
    const array = drawBuffer(rng, args, rule, length, fill)
    args[name] = squares.has(`${op}.${name}`) ? array.map(Math.abs) : array
  }
  if (op === 'top_k') fillNarrow(args)
  return Object.fromEntries(rulesOf(op).map(([name]) => [name, args[name]!]))
}

/** The narrow items of a search are what quantize makes of its items, whenever it can. */
function fillNarrow({ items: x, narrow: out, scales, n: rows, d: cols, bits }: Values): void {
  const call = { x, out, scales, rows, cols, bits } as unknown as OpArgs['quantize']
  if (out !== null && scales !== null && bits !== 32) referenceBackend().run('quantize', call)
}

function drawBuffer(
  rng: Rng,
  args: Values,
  { kind, direction, offsets, range }: BufferRule<Values>,
  length: number,
  fill: (length: number) => Float32Array,
): Float32Array | Int32Array | Uint8Array {
  if (kind === 'float') return direction === 'out' ? new Float32Array(length).fill(Number.NaN) : fill(length)
  if (kind === 'bytes') return Uint8Array.from({ length }, () => rng.int(256))
  if (direction === 'out') return new Int32Array(length).fill(-77)
  if (offsets) return drawOffsets(rng, offsets.rows(args))
  const [low, high] = range?.(args) ?? [0, rng.pick([0, 4, 1000])]
  const between = (): number => low + rng.int(Math.max(1, high - low + 1))
  return Int32Array.from({ length }, () => rng.pick([low, Math.max(low, high), between(), between()]))
}

/** Rows of few elements, many of them none. */
function drawOffsets(rng: Rng, rows: number): Int32Array {
  const offsets = new Int32Array(rows + 1)
  const most = rng.pick([1, 3, 3, 9])
  for (let i = 0; i < rows; i++) offsets[i + 1] = offsets[i]! + rng.int(most + 1)
  return offsets
}

/**
 * Values of one call. Sums of products of eighths are exact in float32, so that ties are ties and a sign is the same for every
 * backend. A third of the calls is any numbers where no comparison decides, a third is positive. The longer an array, the
 * smaller its numbers: large random matrices would drive gates to their ends and recurrences into chaos.
 */
function filler(rng: Rng, op: OpName): (length: number) => Float32Array {
  const mode = rng.pick(['eighths', decides(op) ? 'eighths' : 'any', 'positive'])
  const value = {
    eighths: () => (rng.int(17) - 8) / 8,
    any: () => rng.between(-1, 1),
    positive: () => rng.between(0, 0.25),
  }[mode]!
  return (length) => {
    const scale = 2 ** Math.min(0, Math.floor(2 - Math.log2(length + 1) / 2))
    return Float32Array.from({ length }, () => scale * value())
  }
}

/** Ops in which a comparison of rounded numbers decides what is written: their calls hold numbers whose sums are exact. */
export function decides(op: OpName): boolean {
  const picksIndices = rulesOf(op).some(([, rule]) => isWritten(rule) && rule.kind === 'int')
  return picksIndices || ['frame_score_backward', 'triplet'].includes(op)
}
