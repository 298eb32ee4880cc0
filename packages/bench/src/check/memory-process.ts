/**
 * One scenario in a process of its own, whose peak of memory is then told:
 *
 *     node memory-process.js CORE SCENARIO FOLDER prepare|run [SHARE]
 *
 * SHARE more of the peak is taken and touched at the end, to see it found.
 */
import process from 'node:process'
import { watchedScenarios } from './scenarios.js'
import { openSide } from './side.js'

const [core, name, folder, step, share = '0'] = process.argv.slice(2)
const side = await openSide('memory', core!)
if (side.addon === null) throw new Error('there is no native addon')
const scenario = watchedScenarios.find((one) => one.name === name)!
const backend = side.all.openBackend({ threads: 1 })
if (step === 'prepare') {
  await scenario.prepare?.(side.core, backend, folder!)
} else {
  const { run, close } = await scenario.make(side.core, backend, folder)
  await run()
  await run()
  close?.()
  const peak = (): number => process.resourceUsage().maxRSS * 1024
  const missing = peak() * (1 + Number(share)) - process.memoryUsage.rss()
  const wasted = Number(share) > 0 ? Buffer.alloc(Math.round(missing), 1) : null
  process.stdout.write(`${JSON.stringify({ peak: peak(), wasted: wasted?.length ?? 0 })}\n`)
}
