import { join } from 'node:path'
import { writeFileAtomic, writeNpy, writeSafetensors, type Matrix, row } from '@sonotext/core/base'
import { idsFileOf } from '@sonotext/core/corpus'
import { createIndex, type IndexPrecision } from '@sonotext/core/retrieval'
import { embedRun } from '@sonotext/core/runs'
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
  format: 'npy' | 'safetensors' | 'index'
  precision?: IndexPrecision
}

interface Report {
  out: string
  clips: number
  captions: number
  dim: number
  files: string[]
}

/** Vectors of clips and captions with their ids, for other programs and for evaluate. Stopped at any point, the same call goes on. */
const embed: CommandBody<EmbedOptions, readonly [string]> = async (context, options, path) => {
  const { split, out, format, precision = 'float32' } = options
  if (options.precision !== undefined && format !== 'index')
    throw new UsageError('--precision is for --format index.')
  const backend = backendOf(options, context.terminal)
  const run = await openModel(path, { backend, decode: decodePolicyOf(options) })
  const { audio, clips, text, captions, captionClips } = await embedRun(run, {
    ...(split !== undefined && { split }),
    ...runClipsOf(context, options),
  })
  const files: string[] = []
  const write = async (name: string, ids: readonly string[], vectors: Matrix) => {
    const file = join(out, `${name}.${format}`)
    if (format === 'npy') {
      await writeNpy(file, vectors)
      await writeFileAtomic(idsFileOf(file), ids.map((id) => `${id}\n`).join(''))
      files.push(file, idsFileOf(file))
    } else if (format === 'index') {
      using index = createIndex({ dim: vectors.cols, model: run.model.id, precision, backend })
      await index.add(vectors, ids).save(file)
      files.push(file)
    } else {
      const tensors = ids.map((id, i) => [id, { shape: [vectors.cols], data: row(vectors, i) }] as const)
      await writeSafetensors(file, new Map(tensors), { model: run.model.id })
      files.push(file)
    }
  }
  await write('audio', clips, audio)
  if (captions.length > 0) {
    await write('text', captions, text)
    const lines = captions.map((caption, i) => `${JSON.stringify({ caption, clip: captionClips[i] })}\n`)
    await writeFileAtomic(join(out, 'truth.jsonl'), lines.join(''))
    files.push(join(out, 'truth.jsonl'))
  }
  const report: Report = {
    ...{ out, clips: clips.length, captions: captions.length, dim: run.model.dim, files },
  }
  context.terminal.result(report, (done) =>
    [
      `${plural(done.clips, 'clip')} and ${plural(done.captions, 'caption')}, ${done.dim} numbers each`,
      ...done.files,
    ].join('\n'),
  )
  return exitCode.ok
}
export default embed
