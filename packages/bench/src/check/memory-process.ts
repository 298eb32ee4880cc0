/**
 * One scenario in a process of its own, whose peak of memory is then told:
 *
 *     node memory-process.js CORE SCENARIO FOLDER prepare|run [SHARE]
 *
 * SHARE more of the peak is taken and touched at the end, to see it found. memory.ts starts it so that equal programs collect garbage at
 * equal places.
 */
import process from 'node:process'
import { setImmediate } from 'node:timers/promises'
import { peakOfThis } from './peak.js'
import { watchedScenarios } from './scenarios.js'
import { openSide } from './side.js'

const [core, name, folder, step, share = '0'] = process.argv.slice(2)
const side = await openSide('memory', core!)
if (side.addon === null) throw new Error('there is no native addon')
const scenario = watchedScenarios.find((one) => one.name === name)!
const backend = side.all.openBackend({ threads: 1 })

/** Twice, with a turn between: what the first one finds dead may let go of memory only when its finalizer has run. */
async function collectGarbage(): Promise<void> {
  globalThis.gc?.()
  await setImmediate()
  globalThis.gc?.()
}

if (step === 'prepare') {
  await scenario.prepare?.(side.core, backend, folder!)
} else {
  const { run, close } = await scenario.make(side.core, backend, folder)
  await collectGarbage()
  const peak = peakOfThis()
  await run()
  // A second run finds what the first one left behind, but no garbage of it.
  await collectGarbage()
  await run()
  close?.()
  const missing = peak() * (1 + Number(share)) - process.memoryUsage.rss()
  const wasted = Number(share) > 0 ? Buffer.alloc(Math.round(missing), 1) : null
  process.stdout.write(`${JSON.stringify({ peak: peak(), wasted: wasted?.length ?? 0 })}\n`)
}
