import { stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import {
  type LogMel,
  logMel,
  type LogMelPreset,
  logMelPresets,
  presetSampleRate,
  readMono,
  writeNpy,
} from '@sonotext/core/audio'
import type { Backend } from '@sonotext/core/backend'
import { isSonotextError, SonotextError } from '@sonotext/core/base'
import { backendOf, type BackendOptions } from '../backend-option.js'
import { exitCode, UsageError } from '../exit.js'
import type { CommandBody, CommandContext } from '../main.js'

interface FeaturesOptions extends BackendOptions {
  preset: string
  out: string
  sampleRate?: number
  maxBad: number
}

interface FileResult {
  file: string
  out: string
  frames: number
  bands: number
  sampleRate: number
}

interface Report {
  preset: string
  files: FileResult[]
  failed: { file: string; code: string; message: string }[]
}

/** Log-mel features of audio files as float32 NPY [frames × bands]. One bad file does not end the rest. */
const features: CommandBody<FeaturesOptions, readonly [readonly string[]]> = async (
  context,
  options,
  files,
) => {
  const { terminal, signal } = context
  if (!(logMelPresets as readonly string[]).includes(options.preset)) {
    throw new UsageError(`Expected one of ${logMelPresets.join(', ')} for --preset, got "${options.preset}".`)
  }
  const single = files.length === 1 && extname(options.out) === '.npy'
  if (files.length > 1 && extname(options.out) === '.npy') {
    throw new UsageError(`${files.length} files need a folder for --out, got ${options.out}.`)
  }
  const targets = targetsOf(files, options.out, single)
  const extractor = new Extractor(options, backendOf(options, terminal))
  const report: Report = { preset: options.preset, files: [], failed: [] }
  const progress = files.length > 1 ? terminal.progress('features', files.length, 'files') : null
  for (const [index, file] of files.entries()) {
    try {
      report.files.push(await extractor.run(file, targets[index]!, signal))
    } catch (error) {
      if (!isSonotextError(error) || single || !isAboutTheFile(error)) throw error
      report.failed.push({ file, code: error.code, message: error.message })
      terminal.warn(error.message)
    }
    progress?.update(index + 1)
  }
  progress?.finish()
  return finish(context, report, options.maxBad)
}
export default features

/** Errors that say nothing about the next file: a full disk or a stop is not one of them. */
function isAboutTheFile({ code }: SonotextError): boolean {
  return !['ABORTED', 'WRITE_FAILED', 'OUT_OF_MEMORY', 'DEVICE_ERROR', 'INVALID_ARGUMENT'].includes(code)
}

function targetsOf(files: readonly string[], out: string, single: boolean): string[] {
  if (single) return [out]
  const targets = files.map((file) => join(out, `${basename(file, extname(file))}.npy`))
  const first = new Map<string, string>()
  for (const [index, target] of targets.entries()) {
    const other = first.get(target)
    if (other !== undefined) {
      throw new UsageError(`${other} and ${files[index]} would both be written to ${target}: run them apart.`)
    }
    first.set(target, files[index]!)
  }
  return targets
}

/** One front end for each sample rate met. */
class Extractor {
  readonly #options: FeaturesOptions
  readonly #backend: Backend
  readonly #frontEnds = new Map<number, LogMel>()

  constructor(options: FeaturesOptions, backend: Backend) {
    this.#options = options
    this.#backend = backend
  }

  async run(file: string, out: string, signal: AbortSignal): Promise<FileResult> {
    const { samples, sampleRate } = await readMono(file, { signal })
    const frontEnd = this.#frontEnd(this.#options.sampleRate ?? sampleRate)
    const matrix = await frontEnd.compute(samples, { sampleRate, signal }).catch((error: unknown) => {
      throw isSonotextError(error) && error.file === undefined
        ? new SonotextError(error.code, error.message, { file, cause: error })
        : error
    })
    await writeNpy(out, matrix)
    return { file, out, frames: matrix.rows, bands: matrix.cols, sampleRate: frontEnd.options.sampleRate }
  }

  #frontEnd(sampleRate: number): LogMel {
    const preset = this.#options.preset as LogMelPreset
    let frontEnd = this.#frontEnds.get(sampleRate)
    if (frontEnd === undefined) {
      frontEnd = logMel(
        preset,
        { sampleRate: presetSampleRate(preset) ?? sampleRate },
        { backend: this.#backend },
      )
      this.#frontEnds.set(sampleRate, frontEnd)
    }
    return frontEnd
  }
}

async function finish({ terminal }: CommandContext, report: Report, maxBad: number): Promise<number> {
  const total = report.files.length + report.failed.length
  const size = (await Promise.all(report.files.map(({ out }) => stat(out)))).reduce(
    (sum, { size }) => sum + size,
    0,
  )
  terminal.result(report, ({ files, failed }) =>
    [
      ...files.slice(0, 5).map(({ out, frames, bands }) => `${out}  ${frames} × ${bands}`),
      ...(files.length > 5 ? [`… and ${files.length - 5} more`] : []),
      `${files.length} of ${total} files, ${(size / 2 ** 20).toFixed(1)} MiB${failed.length > 0 ? `; ${failed.length} failed` : ''}`,
    ].join('\n'),
  )
  const share = report.failed.length / total
  if (share <= maxBad) return exitCode.ok
  terminal.warn(
    `${(100 * share).toFixed(1)} % of the files failed, more than the ${100 * maxBad} % of --max-bad`,
  )
  return exitCode.failure
}
