import { calibrateRun, type Classification, classifyRun } from '@sonotext/core/runs'
import { audioInputs } from '../audio-inputs.js'
import { backendOf, type BackendOptions } from '../backend-option.js'
import type { CommandBody } from '../command.js'
import { decodePolicyOf, type DecodeFlags } from '../decode-option.js'
import { exitCode, UsageError } from '../exit.js'
import { openModel } from '../open-model.js'
import { runClipsOf } from '../run-clips.js'

interface ClassifyOptions extends BackendOptions, DecodeFlags {
  labels: string
  prompt: string[]
  temperature?: number
  calibrate?: string
  split?: string
}

/** Labels of recordings by sentences about them. */
const classify: CommandBody<ClassifyOptions, readonly [string, readonly string[]]> = async (
  context,
  options,
  path,
  paths,
) => {
  const { terminal, signal } = context
  const labels = options.labels.split(',').map((label) => label.trim())
  const prompts = options.prompt.length === 0 ? {} : { prompts: options.prompt }
  if (options.calibrate !== undefined && options.temperature !== undefined)
    throw new UsageError('Give --calibrate or --temperature, not both.')
  const files = (await audioInputs(context, paths)).map(({ file }) => file)
  const run = await openModel(path, {
    backend: backendOf(options, terminal),
    decode: decodePolicyOf(options),
  })
  const calibration =
    options.calibrate === undefined
      ? undefined
      : await calibrateRun(run, labels, {
          ...prompts,
          ...runClipsOf(context, { manifest: options.calibrate }),
          ...(options.split !== undefined && { split: options.split }),
        })
  if (calibration !== undefined) {
    const { temperature, clips, error, accuracy } = calibration
    terminal.note(
      `calibrated on ${clips} clips: temperature ${temperature.toFixed(4)}, calibration error ${error.toFixed(3)}, right ${(100 * accuracy).toFixed(1)} %`,
    )
  }
  const temperature = calibration?.temperature ?? options.temperature
  const found = await classifyRun(run, files, labels, {
    ...prompts,
    signal,
    ...(temperature !== undefined && { temperature }),
  })
  terminal.result({ calibration: calibration ?? null, recordings: found }, ({ recordings }) =>
    recordings.map(lines).join('\n\n'),
  )
  return exitCode.ok
}
export default classify

function lines({ file, labels }: Classification): string {
  return [
    file,
    ...labels.slice(0, 5).map(({ label, share }) => `  ${(100 * share).toFixed(1)} %  ${label}`),
  ].join('\n')
}
