import { join } from 'node:path'
import { matrix, type Matrix, row, writeFileAtomic, writeNpy, writeSafetensors } from '@sonotext/core/base'
import { idsFileOf } from '@sonotext/core/corpus'
import { createIndex, type IndexPrecision } from '@sonotext/core/retrieval'
import { embedRun, type EmbedRunOptions, type OpenRun, towerVectorsOf } from '@sonotext/core/runs'
import { backendOf, type BackendOptions } from '../backend-option.js'
import type { CommandBody } from '../command.js'
import { decodePolicyOf, type DecodeFlags } from '../decode-option.js'
import { exitCode, UsageError } from '../exit.js'
import { openModel } from '../open-model.js'
import { plural } from '../plural.js'
import { runClipsOf, type RunClipsFlags } from '../run-clips.js'

interface EmbedOptions extends BackendOptions, RunClipsFlags, DecodeFlags {
  out: string
  split?: string
  inputs?: boolean
  format: 'npy' | 'safetensors' | 'index'
  precision?: IndexPrecision
}

interface Report {
  out: string
  clips: number
  captions: number
  /** Numbers of a vector; with --inputs of a frame of features, and of a sentence (null for encoders of words). */
  dim: number
  sentences?: number | null
  files: string[]
}

/** A file to be written: its name without the ending, and the vectors of each id. */
interface Named {
  readonly name: string
  readonly ids: readonly string[]
  readonly vectors: readonly Matrix[]
}

/** Vectors of clips and captions with their ids, for other programs and for evaluate. Stopped at any point, the same call goes on. */
const embed: CommandBody<EmbedOptions, readonly [string]> = async (context, options, path) => {
  const { split, out, format, inputs = false, precision = 'float32' } = options
  if (options.precision !== undefined && format !== 'index')
    throw new UsageError('--precision is for --format index.')
  if (inputs && format === 'index')
    throw new UsageError('--inputs are no vectors to search among: take --format npy or safetensors.')
  const backend = backendOf(options, context.terminal)
  const run = await openModel(path, { backend, decode: decodePolicyOf(options) })
  const given = { ...(split !== undefined && { split }), ...runClipsOf(context, options) }
  const made = inputs ? await inputsOf(run, given) : await outputsOf(run, given)
  if (format === 'npy') refuseFrames(made.named)
  const files: string[] = []
  for (const { name, ids, vectors } of made.named) {
    const file = join(out, `${name}.${format}`)
    if (format === 'npy') {
      await writeNpy(file, rowsOf(vectors))
      await writeFileAtomic(idsFileOf(file), ids.map((id) => `${id}\n`).join(''))
      files.push(file, idsFileOf(file))
    } else if (format === 'index') {
      const all = rowsOf(vectors)
      using index = createIndex({ dim: all.cols, model: run.model.id, precision, backend })
      await index.add(all, ids).save(file)
      files.push(file)
    } else {
      const tensors = ids.map((id, i) => [id, tensorOf(vectors[i]!)] as const)
      await writeSafetensors(file, new Map(tensors), { model: run.model.id })
      files.push(file)
    }
  }
  if (made.captions.length > 0) {
    const lines = made.captions.map(
      (caption, i) => `${JSON.stringify({ caption, clip: made.captionClips[i] })}\n`,
    )
    await writeFileAtomic(join(out, 'truth.jsonl'), lines.join(''))
    files.push(join(out, 'truth.jsonl'))
  }
  const report: Report = {
    ...{ out, clips: made.clips.length, captions: made.captions.length, ...made.dims, files },
  }
  context.terminal.result(report, (done) => [summary(done), ...done.files].join('\n'))
  return exitCode.ok
}
export default embed

/** What the model gives. */
async function outputsOf(run: OpenRun, options: EmbedRunOptions) {
  const { audio, clips, text, captions, captionClips } = await embedRun(run, options)
  const named: Named[] = [{ name: 'audio', ids: clips, vectors: eachRow(audio) }]
  if (captions.length > 0) named.push({ name: 'text', ids: captions, vectors: eachRow(text) })
  return { named, clips, captions, captionClips, dims: { dim: run.model.dim } }
}

/** What its towers give, before anything that was trained. */
async function inputsOf(run: OpenRun, options: EmbedRunOptions) {
  const { features, clips, sentences, captions, captionClips } = await towerVectorsOf(run, options)
  const named: Named[] = [{ name: 'features', ids: clips, vectors: features }]
  if (sentences !== null && captions.length > 0)
    named.push({ name: 'sentences', ids: captions, vectors: eachRow(sentences) })
  const dims = { dim: run.model.audio.encoder.bands, sentences: sentences?.cols ?? null }
  return { named, clips, captions, captionClips, dims }
}

function refuseFrames(named: readonly Named[]): void {
  for (const { ids, vectors } of named) {
    const at = vectors.findIndex(({ rows }) => rows !== 1)
    if (at >= 0)
      throw new UsageError(
        `"${ids[at]}" has ${plural(vectors[at]!.rows, 'frame')} and an NPY file one vector for each: take --format safetensors.`,
      )
  }
}

function summary({ clips, captions, dim, sentences }: Report): string {
  const heard = plural(clips, 'clip')
  if (sentences === undefined) return `${heard} and ${plural(captions, 'caption')}, ${dim} numbers each`
  const said =
    sentences === null ? 'captions go in as words' : `${plural(captions, 'caption')} of ${sentences} numbers`
  return `${heard} of ${dim} numbers, ${said}`
}

function eachRow(all: Matrix): Matrix[] {
  return Array.from({ length: all.rows }, (_, r) => matrix(1, all.cols, row(all, r)))
}

function rowsOf(vectors: readonly Matrix[]): Matrix {
  const all = matrix(vectors.length, vectors[0]!.cols)
  for (const [r, { data }] of vectors.entries()) row(all, r).set(data)
  return all
}

function tensorOf({ rows, cols, data }: Matrix) {
  return { shape: rows === 1 ? [cols] : [rows, cols], data }
}
