import { basename, extname, join } from 'node:path'
import {
  computeFeatures,
  featureStore,
  type LogMelPreset,
  logMelPresets,
  type Quarantined,
  writeNpy,
} from '@sonotext/core/audio'
import { backendOf, type BackendOptions } from '../backend-option.js'
import { decodePolicyOf, type DecodeFlags } from '../decode-option.js'
import { exitCode, UsageError } from '../exit.js'
import type { CommandBody } from '../main.js'

interface FeaturesOptions extends BackendOptions, DecodeFlags {
  preset: string
  out: string
  sampleRate?: number
  maxBad: number
}

interface Report {
  preset: string
  files: { file: string; out: string; frames: number; bands: number; frameStep: number }[]
  failed: readonly Quarantined[]
}

/** Log-mel features of audio files as float32 NPY [frames × bands]. One bad file does not end the rest. */
const features: CommandBody<FeaturesOptions, readonly [readonly string[]]> = async (
  { terminal, signal },
  { preset, out, sampleRate, maxBad, ...options },
  files,
) => {
  if (!(logMelPresets as readonly string[]).includes(preset)) {
    throw new UsageError(`Expected one of ${logMelPresets.join(', ')} for --preset, got "${preset}".`)
  }
  const targets = targetsOf(files, out)
  const store = featureStore({
    preset: preset as LogMelPreset,
    overrides: sampleRate === undefined ? {} : { sampleRate },
    backend: backendOf(options, terminal),
    decode: decodePolicyOf(options),
  })
  const progress = files.length > 1 ? terminal.progress('features', files.length, 'files') : null
  const written: Report['files'] = []
  const { quarantined } = await computeFeatures(files, store, {
    signal,
    onProgress: ({ done }) => progress?.update(done),
    async onFeatures(file, { features: { rows, cols, data }, frameStep }, index) {
      const target = targets[index]!
      await writeNpy(target, { rows, cols, data })
      written[index] = { file, out: target, frames: rows, bands: cols, frameStep }
    },
  })
  progress?.finish()
  for (const { message } of quarantined) terminal.warn(message)
  const report: Report = { preset, files: written.filter(Boolean), failed: quarantined }
  terminal.result(report, text)
  const share = quarantined.length / files.length
  if (share <= maxBad) return exitCode.ok
  terminal.warn(
    `${(100 * share).toFixed(1)} % of the files failed, more than the ${100 * maxBad} % of --max-bad`,
  )
  return exitCode.failure
}
export default features

/** X.npy itself for one file, else a file in the folder for each; two that would meet are refused. */
function targetsOf(files: readonly string[], out: string): string[] {
  if (extname(out) === '.npy') {
    if (files.length > 1) throw new UsageError(`${files.length} files need a folder for --out, got ${out}.`)
    return [out]
  }
  const owner = new Map<string, string>()
  return files.map((file) => {
    const target = join(out, `${basename(file, extname(file))}.npy`)
    const other = owner.get(target)
    if (other !== undefined) {
      throw new UsageError(`${other} and ${file} would both be written to ${target}: run them apart.`)
    }
    owner.set(target, file)
    return target
  })
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
