/**
 * nx run bench:counters [--update]
 *
 * What a training step, one of the Learner, the features of a clip and a search do, counted exactly: calls of ops and the bytes they
 * touch, calls into the addon, allocations, copies, transfers. The same numbers on every machine, so they are held against
 * baselines/counters.json without a tolerance. Exit code 1 where they differ; --update writes them down.
 */
import '../direct.js'
import { parseArgs } from 'node:util'
import { countAll } from '../check/baselines.js'
import { exitCodeOf } from '../check/finding.js'
import { coreFolder, openSide } from '../check/side.js'
import { root } from '../check/repository.js'

const { values } = parseArgs({ options: { update: { type: 'boolean', default: false } } })
const { core } = await openSide('this', coreFolder(root))
const { findings, written } = await countAll(core, { update: values.update })
for (const { what, todo, verdict } of findings) {
  console.log(`${verdict.padEnd(8)} ${what}.${todo === '' ? '' : ` ${todo}`}`)
}
if (written !== null) console.log(`written: ${written}`)
process.exitCode = values.update ? 0 : exitCodeOf(findings)
