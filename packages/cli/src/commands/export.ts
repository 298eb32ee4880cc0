import { join } from 'node:path'
import { writeFileAtomic } from '@sonotext/core/base'
import { exportOnnx } from '@sonotext/core/models'
import { backendOf, type BackendOptions } from '../backend-option.js'
import type { CommandBody } from '../command.js'
import { exitCode } from '../exit.js'
import { openModel } from '../open-model.js'

interface ExportOptions extends BackendOptions {
  out: string
}

/** The trained heads of a run as ONNX, with the front end described in both files and beside them. */
const exported: CommandBody<ExportOptions, readonly [string]> = async ({ terminal }, options, path) => {
  const run = await openModel(path, { backend: backendOf(options, terminal) })
  const { audio, text } = exportOnnx(run.model)
  const files = { audio: 'audio.onnx', text: 'text.onnx', description: 'model.json' }
  const at = (name: keyof typeof files) => join(options.out, files[name])
  await writeFileAtomic(at('audio'), audio)
  await writeFileAtomic(at('text'), text)
  await writeFileAtomic(
    at('description'),
    `${JSON.stringify({ id: run.model.id, ...run.model.config }, null, 2)}\n`,
  )
  const report = { id: run.model.id, files: Object.keys(files).map((name) => at(name as keyof typeof files)) }
  terminal.result(report, (done) => [`model ${done.id}`, ...done.files].join('\n'))
  return exitCode.ok
}
export default exported
