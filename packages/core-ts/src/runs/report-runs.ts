import { join } from 'node:path'
import { type RunHistory, runsPage } from '../report/index.js'
import { readLog } from '../train/index.js'
import { buildYardsticks } from './build.js'
import { keyValues } from './config.js'
import { type MadeWith, readMadeWith } from './made-with.js'
import { readRunConfig, runFiles } from './run-folder.js'

/**
 * One HTML page with the curves of runs and what differs between them, from their folders alone: nothing is computed, and a run may
 * still be going on. Throws MISSING_FILE for a folder that is no run, INVALID_FILE for a damaged log, MISSING_DEPENDENCY without vega.
 */
export async function reportRuns(folders: readonly string[]): Promise<string> {
  const runs: RunHistory[] = []
  for (const folder of folders) {
    const config = await readRunConfig(folder)
    const log = await readLog(join(folder, runFiles.log))
    const losses = new Set(['loss', ...Object.keys(buildYardsticks(config))])
    runs.push({
      name: folder,
      log,
      keys: keyValues(config),
      losses,
      madeWith: (await readMadeWith(folder)).map(described),
    })
  }
  return await runsPage(runs, { footer: `sonotext report ${folders.join(' ')}` })
}

function described({ time, sonotext, node, platform, device, isa, threads, ranks }: MadeWith): string {
  const on = isa === null ? device : `${device} (${isa})`
  const shares = ranks > 1 ? `, ${ranks} processes` : ''
  return `${time.slice(0, 10)}: Sonotext ${sonotext}, Node.js ${node}, ${platform}, ${on}, ${threads} threads${shares}`
}
