import type { Moment } from '@sonotext/core/align'
import { unknownWords } from '@sonotext/core/runs'
import type { CommandBody } from '../command.js'
import { exitCode, UsageError } from '../exit.js'
import { type AlignerFlags, openAligner } from '../run-aligner.js'
import { table } from '../table.js'

interface MomentsOptions extends AlignerFlags {
  top: number
  minLength: number
  maxLength: number
}

/** The parts of a recording that answer a query. */
const moments: CommandBody<MomentsOptions, readonly [string, string, string]> = async (
  context,
  options,
  folder,
  audio,
  query,
) => {
  const { terminal, signal } = context
  const { run, aligner, recordings } = await openAligner(context, folder, audio, options)
  await using opened = aligner
  if (!('clip' in recordings)) throw new UsageError(`Expected a recording, got the manifest ${audio}.`)
  const unknown = unknownWords(run.model, query)
  if (unknown.length > 0) terminal.warn(`the model does not know: ${unknown.join(', ')}`)
  const { top, minLength, maxLength } = options
  const found = await opened.moments(recordings.clip, query, { count: top, minLength, maxLength, signal })
  terminal.result({ query, audio, moments: found }, () => momentsText(found))
  return exitCode.ok
}
export default moments

function momentsText(found: readonly Moment[]): string {
  if (found.length === 0) return 'nothing that answers the query'
  const rows = found.map(({ start, end, score }, i) => [
    String(i + 1),
    clock(start),
    clock(end),
    score.toFixed(3),
  ])
  return table([['rank', 'from', 'to', 'score'], ...rows])
}

/** Seconds as 1:02:03.4. */
function clock(seconds: number): string {
  const tenths = Math.round(seconds * 10)
  const [h, m, s] = [Math.floor(tenths / 36_000), Math.floor(tenths / 600) % 60, (tenths % 600) / 10]
  const rest = `${String(m).padStart(h > 0 ? 2 : 1, '0')}:${s.toFixed(1).padStart(4, '0')}`
  return h > 0 ? `${h}:${rest}` : rest
}
