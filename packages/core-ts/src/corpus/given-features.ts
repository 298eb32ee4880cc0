import { createHash } from 'node:crypto'
import { featuresPart, type GivenFeatures } from '../audio/index.js'
import { throwIfAborted } from '../base/abort.js'
import { expected, isSonotextError, SonotextError } from '../base/errors.js'
import { readRange } from '../base/files.js'
import { firstNotFinite, matrix, type Matrix } from '../base/matrix.js'
import { checkOptions } from '../base/options.js'
import { isNpy, openNpy } from '../base/npy.js'
import { readText } from '../base/text.js'
import { openSafetensors } from '../base/safetensors.js'

/** Options of {@link givenFeatures}. */
export interface GivenFeaturesOptions {
  /** What they are, for messages and descriptions. Default 'given'. */
  name?: string
  /** Seconds between frames where an id has a sequence. Default 0: vectors without time. */
  frameStep?: number
  /** Seconds from the middle of a frame's own time to the middle of what it was made of, as of patches that overlap. Default 0. */
  lead?: number
  /**
   * Ids of the rows of an NPY file, in its order. Default: those in the file beside it, one a line, `clips.ids.txt` for `clips.npy`. A
   * safetensors file names its tensors itself.
   */
  ids?: readonly string[]
}

/** The numbers of each id, wherever they lie. */
interface Sequences {
  readonly cols: number
  readonly fingerprint: string
  framesOf(id: string): number | undefined
  read(id: string, from: number, count: number): Promise<Matrix>
}

/**
 * Vectors or sequences of vectors that another program made, by id of a clip or a caption: a safetensors file with a tensor [d] or
 * [frames, d] for each id, or an NPY file [ids, d] beside `ids`. Only its header is read now; later no more than is asked for.
 * @throws SonotextError MISSING_FILE, INVALID_FILE; INVALID_ARGUMENT for ids that do not fit
 */
export async function givenFeatures(
  path: string,
  options: GivenFeaturesOptions = {},
): Promise<GivenFeatures> {
  const { name = 'given', frameStep = 0, lead = 0, ids } = checkOptions(options, 'givenFeatures')
  for (const [option, value] of Object.entries({ frameStep, lead }))
    if (!(value >= 0 && Number.isFinite(value))) throw expected('0 or more seconds', option, value)
  const file = isNpy(await readRange(path, 0, 8)) ? await npyRows(path, ids) : await tensorsOf(path, ids)
  const hash = createHash('sha256')
    .update(JSON.stringify([frameStep, file.cols]))
    .update(file.fingerprint)
  return {
    name,
    config: { path, frameStep, cols: file.cols, ...(lead > 0 && { lead }) },
    id: `given-${hash.digest('hex').slice(0, 16)}`,
    cols: file.cols,
    frameStep,
    ...(lead > 0 && { lead }),
    framesOf: (id) => file.framesOf(id),
    async read(id, { from = 0, frames = Infinity, signal } = {}) {
      throwIfAborted(signal)
      const all = file.framesOf(id)
      if (all === undefined) {
        throw new SonotextError('INVALID_DATA', `Expected features for "${id}", there are none.`, {
          file: path,
          remedy: 'Check that they are named by the ids of the manifest.',
        })
      }
      const start = Math.min(from, all)
      const read = await file.read(id, start, Math.min(frames, all - start))
      const bad = firstNotFinite(read.data)
      if (bad < 0) return read
      throw new SonotextError(
        'INVALID_DATA',
        `Expected finite numbers for "${id}", got ${read.data[bad]} in frame ${start + Math.floor(bad / file.cols)}.`,
        { file: path, remedy: 'Make these features again, or leave the clip out.' },
      )
    },
  }
}

export const givenPart = featuresPart({
  name: 'given',
  description: 'Vectors or sequences that another program made of the clips.',
  schema: {
    properties: {
      file: {
        type: 'string',
        format: 'path',
        minLength: 1,
        description:
          'Safetensors file with a tensor [d] or [frames, d] for each id of a clip, or an NPY file [ids, d].',
      },
      ids: {
        type: 'string',
        format: 'path',
        minLength: 1,
        description:
          'For an NPY file: text file with the id of each row, one a line; default: that beside it (x.npy, x.ids.txt).',
      },
      frameStep: {
        type: 'number',
        minimum: 0,
        default: 0,
        description: 'Seconds between frames; 0 for vectors without time.',
      },
      lead: {
        type: 'number',
        minimum: 0,
        default: 0,
        description:
          "Seconds from the middle of a frame's own time to that of what it was made of: (patch - frameStep) / 2.",
      },
    },
    required: ['file'],
  },
  fromConfig: async ({ file, frameStep, lead, ids }) =>
    givenFeatures(file, { frameStep, lead, ...(ids !== undefined && { ids: await readIds(ids) }) }),
})

/** One id a line; blank lines at the end do not count. */
async function readIds(path: string): Promise<string[]> {
  return (await readText(path)).replace(/\s+$/, '').split(/\r?\n/)
}

async function tensorsOf(path: string, ids: readonly string[] | undefined): Promise<Sequences> {
  if (ids !== undefined) throw expected('no ids beside a safetensors file', 'ids', ids)
  const file = await openSafetensors(path)
  let cols: number | undefined
  for (const [id, { shape, dtype }] of file.tensors) {
    const own = shape.at(-1)
    if (shape.length < 1 || shape.length > 2 || !['F32', 'F16', 'BF16'].includes(dtype) || own === 0)
      throw wrong(path, `F32, F16 or BF16 of one or two dimensions for "${id}", got ${dtype} [${shape}]`)
    cols ??= own
    if (own !== cols) throw wrong(path, `vectors of ${cols} numbers like the first, got ${own} for "${id}"`)
  }
  if (cols === undefined) throw wrong(path, 'one tensor or more, got none')
  const framesOf = (id: string) => {
    const shape = file.tensors.get(id)?.shape
    return shape && (shape.length === 1 ? 1 : shape[0])
  }
  return {
    cols,
    fingerprint: createHash('sha256').update(file.header).digest('hex'),
    framesOf,
    async read(id, from, count) {
      const data = (await file.read(id, from * cols, count * cols)) as Float32Array
      return matrix(count, cols, data)
    },
  }
}

/** Where the ids of the rows of an NPY file stand, one a line. */
export function idsFileOf(npy: string): string {
  return `${npy.replace(/\.npy$/i, '')}.ids.txt`
}

async function idsBeside(path: string): Promise<string[] | undefined> {
  return readIds(idsFileOf(path)).catch((error: unknown) => {
    if (isSonotextError(error) && error.code === 'MISSING_FILE') return undefined
    throw error
  })
}

async function npyRows(path: string, given: readonly string[] | undefined): Promise<Sequences> {
  const file = await openNpy(path)
  const ids = given ?? (await idsBeside(path))
  if (ids?.length !== file.rows) {
    throw expected(`${file.rows} ids, one for each row of ${path}`, 'ids', ids, {
      remedy: `Give them, or write them one a line into ${idsFileOf(path)}.`,
    })
  }
  const rows = new Map(ids.map((id, row) => [id, row]))
  if (rows.size !== ids.length) throw expected('ids that differ', 'ids', ids)
  return {
    cols: file.cols,
    fingerprint: createHash('sha256')
      .update(JSON.stringify([file.rows, ids]))
      .digest('hex'),
    framesOf: (id) => (rows.has(id) ? 1 : undefined),
    read: (id, from, count) => file.read(rows.get(id)! + from, count),
  }
}

function wrong(file: string, what: string): SonotextError {
  return new SonotextError('INVALID_FILE', `Expected ${what}.`, {
    file,
    remedy: 'Write one vector [d] or one sequence [frames, d] for each id, all of one length d.',
  })
}
