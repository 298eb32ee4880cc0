import { extname } from 'node:path'
import {
  logMelFeatures,
  type LogMelPreset,
  logMelPresets,
  type MelPrecision,
  writeNpy,
} from '@sonotext/core/audio'
import { type ErrorCode, isStream } from '@sonotext/core/base'
import { openCorpus } from '@sonotext/core/corpus'
import { type AudioInput, audioInputs, targetsBelow } from '../audio-inputs.js'
import { backendOf, type BackendOptions } from '../backend-option.js'
import type { CommandBody } from '../command.js'
import { decodePolicyOf, type DecodeFlags } from '../decode-option.js'
import { warnOfEmptyBands } from '../empty-bands.js'
import { exitCode, UsageError } from '../exit.js'

/** So many files are read in the main thread. */
const FEW = 8

interface FeaturesOptions extends BackendOptions, DecodeFlags {
  preset: string
  out: string
  sampleRate?: number
  precision: MelPrecision
  maxBad: number
}

interface Report {
  preset: string
  files: { file: string; out: string; frames: number; bands: number; frameStep: number }[]
  failed: readonly { file: string; code: ErrorCode; message: string }[]
}

/** Log-mel features of audio files as float32 NPY [frames × bands]. One bad file does not end the rest. */
const features: CommandBody<FeaturesOptions, readonly [readonly string[]]> = async (
  context,
  { preset, out, sampleRate, precision, maxBad, ...options },
  paths,
) => {
  const { terminal, signal } = context
  if (!(logMelPresets as readonly string[]).includes(preset)) {
    throw new UsageError(`Expected one of ${logMelPresets.join(', ')} for --preset, got "${preset}".`)
  }
  const inputs = await audioInputs(context, paths, options)
  const targets = await targetsOf(inputs, out)
  await using corpus = await openCorpus({
    features: logMelFeatures({
      preset: preset as LogMelPreset,
      overrides: {
        ...(sampleRate === undefined ? {} : { sampleRate }),
        ...(precision === 'float64' ? {} : { precision }),
      },
    }),
    // A thread takes a while to start.
    ...(inputs.length < FEW ? { workers: 0 } : {}),
    backend: backendOf(options, terminal),
    decode: decodePolicyOf(options),
    onNote: (note) => terminal.warn(note),
  })
  const progress = inputs.length > 1 ? terminal.progress('features', inputs.length, 'files') : null
  const written: Report['files'] = []
  const failed: Report['failed'][number][] = []
  const rates = new Set<number>()
  const clips = inputs.map(({ file }, place) => ({ id: file, audio: file, place }))
  const read = corpus.read(clips, {
    signal,
    onBad: ({ audio }, { code, message }) => {
      failed.push({ file: audio, code, message })
      progress?.update(written.length + failed.length)
    },
  })
  for await (const { clip, features, frameStep, sampleRate: rate } of read) {
    if (rate !== undefined) rates.add(rate)
    const target = targets[clip.place]!
    await writeNpy(target, features)
    written.push({ file: clip.audio, out: target, frames: features.rows, bands: features.cols, frameStep })
    progress?.update(written.length + failed.length)
  }
  progress?.finish()
  warnOfEmptyBands(terminal, preset as LogMelPreset, rates)
  for (const { message } of failed) terminal.warn(message)
  const report: Report = { preset, files: written, failed }
  terminal.result(report, text, out)
  const share = failed.length / inputs.length
  if (share <= maxBad) return exitCode.ok
  terminal.warn(
    `${(100 * share).toFixed(1)} % of the files failed, more than the ${100 * maxBad} % of --max-bad`,
  )
  return exitCode.failure
}
export default features

/** X.npy itself, or a pipe or device, for one file; else a file in the folder for each. */
async function targetsOf(inputs: readonly AudioInput[], out: string): Promise<string[]> {
  if (extname(out) !== '.npy' && !(await isStream(out))) return targetsBelow(out, inputs, '.npy')
  if (inputs.length > 1) throw new UsageError(`${inputs.length} files need a folder for --out, got ${out}.`)
  return [out]
}

function text({ files, failed }: Report): string {
  const shown = files.slice(0, 5).map(({ out, frames, bands }) => `${out}  ${frames} × ${bands}`)
  if (files.length > shown.length) shown.push(`… and ${files.length - shown.length} more`)
  const total = files.length + failed.length
  return [
    ...shown,
    `${files.length} of ${total} files${failed.length > 0 ? `; ${failed.length} failed` : ''}`,
  ].join('\n')
}
