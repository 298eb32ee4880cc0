import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type FrontEndPreset, frontEndPresets, onnxFeatures } from '../audio/index.js'
import { isSonotextError, SonotextError } from '../base/errors.js'
import { describeOnnx, type OnnxDescription } from '../onnx/index.js'
import { onnxTower } from '../text/index.js'
import { readBytes } from '../base/files.js'

/** What an ONNX file can be used as. */
export interface OnnxReport {
  readonly file: string
  readonly description: OnnxDescription
  /** Front ends under which it gives vectors, and the length of those. */
  readonly audio: readonly { readonly preset: FrontEndPreset; readonly cols: number }[]
  /** Length of its vectors as a text tower; null where it is none. */
  readonly text: { readonly cols: number } | null
  /** Why not, where it is neither: a sentence for each way that was tried. */
  readonly problems: readonly string[]
}

/**
 * Tries a file as an audio tower under every front end, or as a text tower where it takes token ids.
 * @throws SonotextError MISSING_FILE; INVALID_FILE for what is no ONNX model; MISSING_DEPENDENCY without a runtime
 */
export async function checkOnnx(
  file: string,
  { tokenizer }: { tokenizer?: string } = {},
): Promise<OnnxReport> {
  const description = describeOnnx(await readBytes(file), file)
  const nothing = { file, description, audio: [], text: null, problems: [] }
  const attempt = async <T>(work: () => Promise<T>): Promise<T | string> => {
    try {
      return await work()
    } catch (error) {
      if (!isSonotextError(error) || error.code === 'MISSING_DEPENDENCY') throw error
      return error.message
    }
  }
  if (description.inputs.some(({ name }) => name === 'input_ids')) {
    const beside = tokenizer ?? join(dirname(file), 'tokenizer.json')
    if (!existsSync(beside)) {
      const { message } = new SonotextError('MISSING_FILE', 'a text model needs its tokenizer.', {
        file: beside,
        remedy: 'Put the tokenizer.json that belongs to it beside it.',
      })
      return { ...nothing, problems: [message] }
    }
    const tower = await attempt(() => onnxTower({ model: file, tokenizer: beside }))
    return typeof tower === 'string'
      ? { ...nothing, problems: [tower] }
      : { ...nothing, text: { cols: tower.cols } }
  }
  const audio: { preset: FrontEndPreset; cols: number }[] = []
  const problems: string[] = []
  for (const preset of frontEndPresets) {
    const kind = await attempt(() => onnxFeatures({ model: file, frontEnd: { preset } }))
    if (typeof kind === 'string') problems.push(`${preset}: ${kind}`)
    else audio.push({ preset, cols: kind.cols })
  }
  return { ...nothing, audio, problems: audio.length > 0 ? [] : problems }
}
