import { createHash } from 'node:crypto'
import { SonotextError } from '../base/errors.js'
import { matrix, type Matrix } from '../base/matrix.js'
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
import { frontEnd, type FrontEndOptions } from './front-ends.js'
import { patchesOf, patchShape } from './patches.js'
import { pooledRows, type Pooling } from './pooled-rows.js'

/** Options of {@link onnxFeatures}. */
export interface OnnxFeaturesOptions {
  /** The model file. */
  readonly model: string
  /** Sound as the model wants it. */
  readonly frontEnd: FrontEndOptions
  /** What is taken of all vectors of a clip, side by side, as one vector. Default none: a vector for each patch or frame. */
  readonly pool?: readonly Pooling[]
  /** Name of the output that holds the vectors; default: the only one, or one with a known name. */
  readonly output?: string
  /** SHA-256 that the file must have. */
  readonly sha256?: string
}

/** Part of the id: changed when patches or pooling would give other numbers. */
const VERSION = 'onnx features 1'
/** Patches that go through a model together. */
const TOGETHER = 16

/**
 * Vectors of a pretrained audio model as features of clips: sound is cut into patches as its front end says, each patch goes through the
 * model, and its vectors are kept as they are or pooled over the clip. Runs in the worker threads of a corpus, in any onnxruntime.
 * @throws SonotextError as {@link openOnnx}; INVALID_ARGUMENT for a front end that there is none of; UNSUPPORTED where model and front end
 *   do not fit, naming both
 */
export async function onnxFeatures(options: OnnxFeaturesOptions): Promise<AudioFeatures> {
  const { pool = [], output, ...given } = checkOptions(options, 'onnxFeatures')
  const front = frontEnd(given.frontEnd)
  const model = await openOnnx(given.model, { sha256: given.sha256 })
  const shape = patchShape(front)
  const feed = feedOf(model, shape)
  const { name: taken, cols: width, rows: perPatch } = await vectorsOf(model, feed, output)
  const config = {
    model: given.model,
    frontEnd: plain(given.frontEnd),
    ...(pool.length > 0 && { pool }),
    ...(output !== undefined && { output }),
    sha256: model.sha256,
  }
  const { name: runtime, version } = model.runtime
  const spec = JSON.stringify([VERSION, model.sha256, front, pool, taken, runtime, version])
  const cols = width * Math.max(1, pool.length)
  // One vector of a patch lies in the middle of it.
  const lead = pool.length === 0 && perPatch === 1 ? Math.max(0, (front.patch - front.hop) / 2) : 0
  return {
    name: 'onnx',
    config,
    id: `onnx-${createHash('sha256').update(spec).digest('hex').slice(0, 16)}`,
    cols,
    pins: { sha256: model.sha256 },
    ...(lead > 0 && { lead }),
    ...(pool.length > 0 && { wholeClip: true }),
    compute(audio, { backend, signal }) {
      const patches = patchesOf(front, audio, { backend, ...(signal && { signal }) })
      async function* rows(): AsyncGenerator<Matrix, void, undefined> {
        for await (const group of grouped(patches, feed.batch ?? TOGETHER)) {
          const outputs = await model.run({ [feed.value.name]: feed.tensor(group) })
          const { data } = outputs.get(taken)!
          const count = group.length * perPatch
          yield matrix(count, width, data.subarray(0, count * width))
        }
      }
      if (pool.length === 0) return { frameStep: shape.step / perPatch, blocks: rows() }
      return { frameStep: 0, blocks: pooledRows(rows(), width, pool) }
    },
    origin: { module: import.meta.url, export: 'onnxFeatures', argument: config },
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
  return {
    value,
    batch,
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

/** Which output holds the vectors, their length, and how many come of a patch: found out with patches of zeros. */
async function vectorsOf(model: OnnxModel, feed: Feed, wanted: string | undefined) {
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
  if (found === undefined || extents[0] !== n || extents.length < 2 || extents.length > 3) {
    throw new SonotextError(
      'UNSUPPORTED',
      `Expected vectors [patches, d] or [patches, frames, d] of the output ${name}, got ${found === undefined ? 'no floating-point numbers' : `[${found.shape.join(', ')}]`}.`,
      { file: model.file, remedy: 'Name the output with the vectors: output.' },
    )
  }
  return { name, cols: extents.at(-1)!, rows: extents.length === 3 ? extents[1]! : 1 }
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
