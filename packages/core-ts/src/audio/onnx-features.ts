import { createHash } from 'node:crypto'
import { expected, SonotextError } from '../base/errors.js'
import type { Backend } from '../backend/port.js'
import { matrix, type Matrix, row } from '../base/matrix.js'
import { checkOptions } from '../base/options.js'
import {
  inputTypes,
  type OnnxModel,
  openOnnx,
  type OnnxTensor,
  type OnnxValue,
  pickOutput,
  valueText,
} from '../onnx/index.js'
import type { AudioFeatures } from './feature-kind.js'
import { type FrontEnd, frontEnd, type FrontEndOptions } from './front-ends.js'
import { OverlappedRows } from './overlapped-rows.js'
import { patchesOf, patchShape } from './patches.js'
import { pooledRows, type Pooling } from './pooled-rows.js'
import type { SampleBlocks } from './sample-blocks.js'
import { FrameLevels } from './silence.js'

/** Options of {@link onnxFeatures}. */
export interface OnnxFeaturesOptions {
  /** The model file. */
  readonly model: string
  /** Sound as the model wants it. */
  readonly frontEnd: FrontEndOptions
  /** What is taken of all vectors of a clip, side by side, as one vector. Default none: a vector for each patch or frame. */
  readonly pool?: readonly Pooling[]
  /**
   * Name of the output that holds the vectors, or of a value within the model, such as the activations before it pools over time: finer in time
   * than a vector for each patch. Default: the only output, or one with a known name.
   */
  readonly output?: string
  /**
   * Level below which a frame is silence and its vector zeros, decibels of its own time's mean square relative to full scale, from -200 to 0; not with `pool`.
   * Default: no frame is silence.
   */
  readonly silence?: number
  /** SHA-256 that the file must have. */
  readonly sha256?: string
}

/** Part of the id: changed when patches or pooling would give other numbers. */
const VERSION = 'onnx features 1'
/** Patches that go through a model together. */
const TOGETHER = 16

/**
 * Vectors of a pretrained audio model as features of clips: sound is cut into patches as its front end says, each patch goes through the
 * model, and its vectors are kept as they are or pooled over the clip. A model may give one vector for a patch [patches, d], several that follow each
 * other [patches, frames, d], or maps of activations [patches, channels, frames, bands] (the last three in the order of its input), of which the mean
 * over bands is taken; where patches overlap, vectors of the same time are averaged. Runs in the worker threads of a corpus, in any onnxruntime.
 * @throws SonotextError as {@link openOnnx}; INVALID_ARGUMENT for a front end that there is none of, a level out of range or with `pool`, and patches
 *   of several vectors that overlap by a part of one or leave gaps; UNSUPPORTED where model and front end
 *   do not fit, naming both
 */
export async function onnxFeatures(options: OnnxFeaturesOptions): Promise<AudioFeatures> {
  const { pool = [], output, silence, ...given } = checkOptions(options, 'onnxFeatures')
  if (silence !== undefined) checkSilence(silence, pool)
  const front = frontEnd(given.frontEnd)
  const model = await openOnnx(given.model, { sha256: given.sha256, output })
  const shape = patchShape(front)
  const feed = feedOf(model, shape)
  const { name: taken, cols: width, rows: perPatch, vectors } = await vectorsOf(model, feed, output)
  // Statistics over a clip have no times that would have to fit.
  const overlap = pool.length > 0 ? undefined : overlapOf(front, perPatch)
  const frameStep = overlap === undefined ? shape.step / perPatch : front.patch / perPatch
  const config = {
    model: given.model,
    frontEnd: plain(given.frontEnd),
    ...(pool.length > 0 && { pool }),
    ...(output !== undefined && { output }),
    ...(silence !== undefined && { silence }),
    sha256: model.sha256,
  }
  const { name: runtime, version } = model.runtime
  const more = { ...(overlap !== undefined && { overlap }), ...(silence !== undefined && { silence }) }
  const spec = JSON.stringify([
    ...[VERSION, model.sha256, front, pool, taken, runtime, version],
    ...(Object.keys(more).length > 0 ? [more] : []),
  ])
  const cols = width * Math.max(1, pool.length)
  // One vector of a patch lies in the middle of it.
  const lead = pool.length === 0 && perPatch === 1 ? Math.max(0, (front.patch - front.hop) / 2) : 0
  async function* rowsOf(
    audio: SampleBlocks,
    options: { readonly backend: Backend; readonly signal?: AbortSignal },
  ): AsyncGenerator<Matrix, void, undefined> {
    const overlapped = overlap === undefined ? undefined : new OverlappedRows(width, perPatch, overlap)
    for await (const group of grouped(patchesOf(front, audio, options), feed.batch ?? TOGETHER)) {
      const outputs = await model.run({ [feed.value.name]: feed.tensor(group) })
      const rows = vectors(outputs.get(taken)!.data, group.length)
      if (overlapped === undefined) yield rows
      else
        for (let p = 0; p < group.length; p++)
          yield overlapped.add(rows.data.subarray(p * perPatch * width, (p + 1) * perPatch * width))
    }
    if (overlapped !== undefined) yield overlapped.rest()
  }
  return {
    name: 'onnx',
    config,
    id: `onnx-${createHash('sha256').update(spec).digest('hex').slice(0, 16)}`,
    cols,
    pins: { sha256: model.sha256 },
    ...(lead > 0 && { lead }),
    ...(pool.length > 0 && { wholeClip: true }),
    compute(audio, { backend, signal }) {
      const abortable = { backend, ...(signal && { signal }) }
      if (pool.length > 0) return { frameStep: 0, blocks: pooledRows(rowsOf(audio, abortable), width, pool) }
      if (silence === undefined) return { frameStep, blocks: rowsOf(audio, abortable) }
      const levels = new FrameLevels(frameStep, lead)
      return { frameStep, blocks: silenced(rowsOf(levels.listen(audio), abortable), levels, silence) }
    },
    origin: { module: import.meta.url, export: 'onnxFeatures', argument: config },
  }
}

function checkSilence(silence: number, pool: readonly Pooling[]): void {
  if (!(silence >= -200 && silence <= 0)) throw expected('from -200 to 0 dB', 'silence', silence)
  if (pool.length > 0) {
    throw expected('no silence beside pool', 'onnxFeatures', 'both', {
      remedy: 'A vector for the whole clip has no frames that could be silent: leave one of them out.',
    })
  }
}

/** Rows that a patch begins behind the last, where patches of several rows overlap. Throws INVALID_ARGUMENT for a part of a row. */
function overlapOf({ patch, hop }: FrontEnd, perPatch: number): number | undefined {
  if (perPatch === 1 || Math.abs(hop - patch) < 1e-6) return undefined
  if (hop > patch) {
    throw expected(
      `at most ${patch} s, the length of a patch, of which this model gives ${perPatch} vectors`,
      'hop',
      hop,
      {
        remedy: `Between patches there would be time without vectors: take hop ${patch}.`,
      },
    )
  }
  const shift = Math.round((hop * perPatch) / patch)
  if (shift >= 1 && Math.abs((hop * perPatch) / patch - shift) < 1e-6) return shift
  const step = patch / perPatch
  throw expected(
    `a multiple of ${Number(step.toFixed(6))} s, the time of one vector of this model`,
    'hop',
    hop,
    {
      remedy: `Take hop ${Number((Math.max(1, shift) * step).toFixed(6))}, or ${patch} for patches side by side.`,
    },
  )
}

/** Rows with zeros in place of those below the level. */
async function* silenced(
  rows: AsyncIterable<Matrix>,
  levels: FrameLevels,
  silence: number,
): AsyncGenerator<Matrix, void, undefined> {
  let frame = 0
  for await (const block of rows) {
    for (let r = 0; r < block.rows; r++, frame++) if (levels.level(frame) < silence) row(block, r).fill(0)
    yield block
  }
}

/** A front end's options as JSON. */
function plain({ overrides, ...rest }: FrontEndOptions) {
  const defined = <T extends object>(object: T) =>
    Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
  return { ...defined(rest), ...(overrides !== undefined && { overrides: defined(overrides) }) } as Record<
    string,
    never
  >
}

/** How patches become the input of a model. */
interface Feed {
  readonly value: OnnxValue
  /** Patches that it takes at once, where it takes no other number. */
  readonly batch: number | undefined
  /** Where channels, frames and bands stand in what a convolution gives, behind the patches. */
  readonly maps: { readonly channels: number; readonly frames: number; readonly bands: number }
  tensor(patches: readonly Float32Array[]): OnnxTensor
}

/** Where the patches go in, by the extents that the model declares. Throws UNSUPPORTED. */
function feedOf(model: OnnxModel, { length, bands }: { length: number; bands: number }): Feed {
  const { inputs } = model.description
  const value = inputs[0]
  const frontEndGives =
    bands === 1 ? `patches of ${length} samples` : `patches of ${length} frames × ${bands} bands`
  const refuse = (what: string, remedy: string) =>
    new SonotextError('UNSUPPORTED', `the model takes ${what}; the front end gives ${frontEndGives}.`, {
      file: model.file,
      remedy,
    })
  if (inputs.length !== 1 || value === undefined) {
    throw refuse(
      inputs.map(valueText).join(', ') || 'nothing',
      'Export it with one input, the sound; `sonotext models check FILE` shows what there is.',
    )
  }
  if (!inputTypes.has(value.type) || value.type === 'bool' || value.type.startsWith('int'))
    throw refuse(valueText(value), 'Export it with a floating-point input.')
  // n stands for the patches, t and b for what the front end gives.
  const layouts =
    bands === 1
      ? [['n', 't'], ['n', 1, 't'], ['t']]
      : [
          ['n', 't', 'b'],
          ['n', 'b', 't'],
          ['n', 1, 't', 'b'],
          ['n', 1, 'b', 't'],
          ['n', 't', 'b', 1],
        ]
  const extents: Readonly<Record<string, number>> = { t: length, b: bands }
  const layout = layouts.find(
    (axes) =>
      axes.length === value.shape.length &&
      axes.every((axis, i) => {
        const declared = value.shape[i]
        const wanted = typeof axis === 'number' ? axis : extents[axis]
        return typeof declared !== 'number' || wanted === undefined || declared === wanted
      }),
  )
  if (layout === undefined)
    throw refuse(
      valueText(value),
      'Name its own front end: frontEnd.preset, and what differs in frontEnd.overrides, patch and hop.',
    )
  const declared = layout[0] === 'n' ? value.shape[0] : 1
  const batch = typeof declared === 'number' ? declared : undefined
  const turned = layout.indexOf('b') !== -1 && layout.indexOf('b') < layout.indexOf('t')
  // Convolutions keep the order of their input, with channels where it had one or none.
  const last = layout.at(-1) === 1
  return {
    value,
    batch,
    maps: {
      channels: last ? 3 : 1,
      frames: (last ? 1 : 2) + Number(turned),
      bands: (last ? 2 : 3) - Number(turned),
    },
    tensor(patches) {
      const n = batch ?? patches.length
      const size = length * bands
      const data = new Float32Array(n * size)
      for (const [p, patch] of patches.entries()) {
        if (!turned) data.set(patch, p * size)
        else
          for (let t = 0; t < length; t++)
            for (let b = 0; b < bands; b++) data[p * size + b * length + t] = patch[t * bands + b]!
      }
      const axes = layout.map((axis) => (axis === 'n' ? n : typeof axis === 'number' ? axis : extents[axis]!))
      return { shape: axes, data }
    },
  }
}

/** What a model gives for patches, as vectors. */
interface PatchVectors {
  readonly name: string
  /** Length of a vector, and how many come of a patch. */
  readonly cols: number
  readonly rows: number
  /** Those of the first patches, [patches · rows × cols]. */
  vectors(data: Float32Array, patches: number): Matrix
}

/** Which output holds the vectors, and how they lie in it: found out with patches of zeros. */
async function vectorsOf(model: OnnxModel, feed: Feed, wanted: string | undefined): Promise<PatchVectors> {
  const name = pickOutput(model, wanted)
  const n = feed.batch ?? 1
  const { shape: input } = feed.tensor([])
  const shape = feed.batch === undefined && input[0] === 0 ? [1, ...input.slice(1)] : input
  const zeros = new Float32Array(shape.reduce((product, extent) => product * extent, 1))
  const found = (await model.run({ [feed.value.name]: { shape, data: zeros } })).get(name)
  // Extents of 1 behind the vectors are what a pooling layer leaves.
  const extents = [...(found?.shape ?? [])]
  while (extents.length > 2 && extents.at(-1) === 1) extents.pop()
  if (n === 1 && extents.length === 1) extents.unshift(1)
  if (extents[0] !== n && feed.batch === 1 && extents.length === 2) extents.unshift(1)
  if (found === undefined || extents[0] !== n || extents.length < 2 || extents.length > 4) {
    throw new SonotextError(
      'UNSUPPORTED',
      `Expected vectors [patches, d] or [patches, frames, d], or maps [patches, channels, frames, bands], of the output ${name}, got ${found === undefined ? 'no floating-point numbers' : `[${found.shape.join(', ')}]`}.`,
      { file: model.file, remedy: 'Name the output with the vectors: output.' },
    )
  }
  if (extents.length === 4) return { name, ...meansOverBands(extents, feed.maps) }
  const [cols, rows] = [extents.at(-1)!, extents.length === 3 ? extents[1]! : 1]
  return {
    ...{ name, cols, rows },
    vectors: (data, patches) => matrix(patches * rows, cols, data.subarray(0, patches * rows * cols)),
  }
}

/** Maps of activations as a vector for each frame: of every channel the mean over bands. */
function meansOverBands(extents: readonly number[], { channels, frames, bands }: Feed['maps']) {
  const [cols, rows, width] = [extents[channels]!, extents[frames]!, extents[bands]!]
  const stride = (axis: number) => extents.slice(axis + 1).reduce((product, extent) => product * extent, 1)
  const [patch, channel, frame, band] = [stride(0), stride(channels), stride(frames), stride(bands)]
  return {
    ...{ cols, rows },
    vectors(data: Float32Array, patches: number): Matrix {
      const out = matrix(patches * rows, cols)
      for (let r = 0; r < out.rows; r++) {
        const from = Math.floor(r / rows) * patch + (r % rows) * frame
        for (let c = 0; c < cols; c++) {
          let sum = 0
          for (let b = 0; b < width; b++) sum += data[from + c * channel + b * band]!
          out.data[r * cols + c] = sum / width
        }
      }
      return out
    },
  }
}

async function* grouped<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[], void, undefined> {
  let group: T[] = []
  for await (const item of items) {
    group.push(item)
    if (group.length < size) continue
    yield group
    group = []
  }
  if (group.length > 0) yield group
}
