import type { Backend } from '../backend/port.js'
import { expected, isSonotextError, SonotextError } from '../base/errors.js'
import { readBytes } from '../base/files.js'
import { type Matrix, matrix } from '../base/matrix.js'
import { decodeNpy, isNpy } from '../base/npy.js'
import { readSafetensors } from '../base/safetensors.js'
import { readText } from '../base/text.js'
import { idsFileOf } from '../corpus/index.js'
import { type Evaluation, evaluateScores, type EvaluateScoresOptions } from '../metrics/index.js'
import { l2Normalize, similarity, Tape } from '../nn/index.js'

/** Rows of numbers and what each stands for. */
export interface NamedRows {
  readonly ids: readonly string[]
  readonly vectors: Matrix
}

/**
 * Vectors by id: an NPY [n × d] with the ids in the file beside it, one a line (`x.npy`, `x.ids.txt`), or a safetensors file with a tensor [d]
 * for each id. An NPY without that file has row numbers as ids.
 * @throws SonotextError MISSING_FILE, INVALID_FILE
 */
export async function readNamedRows(file: string): Promise<NamedRows> {
  const bytes = await readBytes(file)
  if (isNpy(bytes)) {
    const vectors = decodeNpy(bytes, file)
    const ids = await idsOf(idsFileOf(file), vectors.rows)
    return { vectors, ids }
  }
  const { tensors } = await readSafetensors(file)
  const cols = [...tensors.values()][0]?.shape.at(-1) ?? 0
  const vectors = matrix(tensors.size, cols)
  for (const [i, [id, { shape, data }]] of [...tensors].entries()) {
    if (!(data instanceof Float32Array) || shape.length !== 1 || shape[0] !== cols) {
      throw new SonotextError(
        'INVALID_FILE',
        `Expected a vector of ${cols} numbers for "${id}", got [${shape}].`,
        {
          file,
          remedy: 'Write one tensor [d] of F32, F16 or BF16 for each id.',
        },
      )
    }
    vectors.data.set(data, i * cols)
  }
  return { vectors, ids: [...tensors.keys()] }
}

async function idsOf(file: string, rows: number): Promise<string[]> {
  const text = await readText(file).catch((error: unknown) => {
    if (isSonotextError(error) && error.code === 'MISSING_FILE') return undefined
    throw error
  })
  if (text === undefined) return Array.from({ length: rows }, (_, i) => String(i))
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  if (lines.length === rows && new Set(lines).size === rows) return lines
  throw new SonotextError(
    'INVALID_FILE',
    `Expected ${rows} different ids, got ${new Set(lines).size} in ${lines.length} lines.`,
    {
      file,
      remedy: 'Write one id for each row, in their order.',
    },
  )
}

/**
 * Which clip each caption belongs to: JSON lines `{ "caption": id, "clip": id }`, with `group` where clips are cut from one recording, or the
 * lines of a manifest.
 * @throws SonotextError MISSING_FILE, INVALID_FILE naming the line
 */
export async function readTruth(
  file: string,
): Promise<{ readonly clipOf: ReadonlyMap<string, string>; readonly groups: ReadonlyMap<string, string> }> {
  const clipOf = new Map<string, string>()
  const groups = new Map<string, string>()
  for (const [i, line] of (await readText(file)).split('\n').entries()) {
    if (line.trim() === '') continue
    const bad = (what: string) =>
      new SonotextError(
        'INVALID_FILE',
        `line ${i + 1}: expected { "caption": id, "clip": id }, got ${what}.`,
        {
          file,
          remedy: 'Ids are texts or numbers; sonotext embed writes such a file.',
        },
      )
    let entry: Record<string, unknown>
    try {
      entry = JSON.parse(line) as Record<string, unknown>
    } catch (cause) {
      throw bad((cause as Error).message)
    }
    const isId = (value: unknown): value is string | number => ['string', 'number'].includes(typeof value)
    const { caption, clip = entry?.['id'], captions, group } = entry ?? {}
    if (!isId(clip)) throw bad('no clip')
    if (typeof group === 'string') groups.set(String(clip), group)
    const all = Array.isArray(captions)
      ? captions.map((each: unknown, n) => (each as { id?: unknown } | null)?.id ?? `${clip}#${n + 1}`)
      : [caption]
    for (const id of all) {
      if (!isId(id)) throw bad('no caption')
      if (clipOf.has(String(id))) throw bad(`the caption "${id}" again`)
      clipOf.set(String(id), String(clip))
    }
  }
  return { clipOf, groups }
}

/** Options of {@link evaluateVectors}. */
export interface EvaluateVectorsOptions extends EvaluateScoresOptions {
  backend: Backend
}

/**
 * Retrieval measures of vectors that any program made, both ways, by their cosines: definitions as in {@link evaluateScores}. Captions of which
 * the truth says nothing are refused; clips without captions are distractors.
 * @throws SonotextError INVALID_DATA for ids and lengths that do not fit
 */
export async function evaluateVectors(
  audio: NamedRows,
  text: NamedRows,
  truth: Awaited<ReturnType<typeof readTruth>>,
  { backend, ...options }: EvaluateVectorsOptions,
): Promise<Evaluation> {
  const [a, t] = [audio.vectors, text.vectors]
  if (a.cols !== t.cols)
    throw expected(`vectors of ${a.cols} numbers like those of the clips`, 'the captions', t.cols)
  using tape = new Tape(backend)
  const unit = ({ rows, cols, data }: Matrix) => l2Normalize(tape, tape.constant([rows, cols], data))
  const scores = similarity(tape, unit(a), unit(t))
  const all = matrix(a.rows, t.rows, Float32Array.from(scores.toArray()))
  return evaluateMatrix(all, audio.ids, text.ids, truth, options)
}

/** The same of scores [clips × captions]. */
export function evaluateMatrix(
  scores: Matrix,
  clips: readonly string[],
  captions: readonly string[],
  { clipOf, groups }: Awaited<ReturnType<typeof readTruth>>,
  options: EvaluateScoresOptions = {},
): Evaluation {
  const rows = new Map(clips.map((id, i) => [id, i]))
  const captionClip = captions.map((caption) => {
    const clip = clipOf.get(caption)
    const at = clip === undefined ? undefined : rows.get(clip)
    if (at !== undefined) return at
    throw new SonotextError(
      'INVALID_DATA',
      clip === undefined
        ? `Expected a line of the truth for the caption "${caption}", there is none.`
        : `Expected the clip "${clip}" of the caption "${caption}" among the clips, it is not there.`,
      { remedy: 'The ids of vectors and truth must be the same.' },
    )
  })
  return evaluateScores(scores, captionClip, {
    ...options,
    clips,
    captions,
    ...(groups.size > 0 && { groups: clips.map((id) => groups.get(id) ?? id) }),
  })
}
