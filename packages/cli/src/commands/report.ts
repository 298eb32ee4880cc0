import { writeFileAtomic } from '@sonotext/core/base'
import { type MadeWith, readMadeWith, reportRuns } from '@sonotext/core/runs'
import type { CommandBody } from '../command.js'
import { exitCode } from '../exit.js'
import { refuseForeign } from '../outputs.js'

interface ReportOptions {
  out: string
}

/** Curves and comparisons of runs as one HTML file. */
const report: CommandBody<ReportOptions, readonly [readonly string[]]> = async (
  context,
  { out },
  folders,
) => {
  refuseForeign('--out', out, 'page')
  const page = await reportRuns(folders)
  await writeFileAtomic(out, new TextEncoder().encode(page))
  const madeWith: Record<string, readonly MadeWith[]> = {}
  for (const folder of folders) madeWith[folder] = await readMadeWith(folder)
  context.terminal.result(
    { report: out, runs: folders, madeWith },
    () => `${out}: ${folders.join(', ')}`,
    out,
  )
  return exitCode.ok
}
export default report
