import { frontEndAbout, frontEndPresets, knownTowers } from '@sonotext/core/audio'
import { valueText } from '@sonotext/core/onnx'
import { checkOnnx, type OnnxReport } from '@sonotext/core/runs'
import type { CommandBody } from '../command.js'
import { exitCode, UsageError } from '../exit.js'

interface ModelsOptions {
  tokenizer?: string
}

/** Pretrained models that are known, or whether a file is understood. */
const models: CommandBody<ModelsOptions, readonly [string | undefined, string | undefined]> = async (
  { terminal },
  { tokenizer },
  action,
  file,
) => {
  if (action === undefined) {
    const frontEnds = frontEndPresets.map((preset) => ({ preset, about: frontEndAbout(preset) }))
    terminal.result({ models: knownTowers, frontEnds }, listed)
    return exitCode.ok
  }
  if (action !== 'check' || file === undefined)
    throw new UsageError('Expected nothing, or check and a file: sonotext models check FILE.')
  const report = await checkOnnx(file, tokenizer === undefined ? {} : { tokenizer })
  terminal.result(report, reportText)
  return report.problems.length === 0 ? exitCode.ok : exitCode.failure
}
export default models

function listed(): string {
  return [
    ...knownTowers.flatMap(({ name, side, frontEnd, licence, from, note }) => [
      `${name}: ${side === 'both' ? 'audio and text' : side}${frontEnd === null ? '' : `, front end ${frontEnd}`}, ${licence}`,
      `  ${from}`,
      `  ${note}`,
    ]),
    '',
    'Front ends:',
    ...frontEndPresets.map((preset) => `  ${preset.padEnd(longest)}  ${frontEndAbout(preset)}`),
  ].join('\n')
}

const longest = Math.max(...frontEndPresets.map(({ length }) => length))

function reportText({ description, audio, text, problems }: OnnxReport): string {
  const { producer, opset, inputs, outputs, parameters, foreign } = description
  return [
    `takes ${inputs.map(valueText).join(', ')}`,
    `gives ${outputs.map(valueText).join(', ')}`,
    `${parameters} parameters, ONNX opset ${opset}${producer === '' ? '' : `, from ${producer}`}${foreign.length > 0 ? `, operators of others: ${foreign.join(', ')}` : ''}`,
    ...audio.map(
      ({ preset, cols }) =>
        `as features: { type: onnx, frontEnd: { preset: ${preset} } } gives vectors of ${cols}`,
    ),
    ...(text === null ? [] : [`as text: { type: onnx } gives vectors of ${text.cols}`]),
    ...(audio.length > 1
      ? ['Extents do not tell these front ends apart: take the one that it was trained with.']
      : []),
    ...problems,
  ].join('\n')
}
