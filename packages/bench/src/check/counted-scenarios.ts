import { nativeBackend } from '@sonotext/core/backend'
import { loadAddon } from '@sonotext/native-cuda'
import { counted, type Counters } from './counters.js'
import { countedScenarios, type Scenario } from './scenarios.js'
import type { Core } from './side.js'

/** The device whose memory the host cannot reach counts transfers as a GPU would have them. */
const devices = ['cpu', 'sealed'] as const

/** Runs before the one that counts: memory that is kept between runs has been taken, what is compiled once is compiled. */
const warm = 3

/** Counters by `scenario, device`. `plant` puts something else in the place of a scenario's run, to see it found. */
export async function countScenarios(
  core: Core,
  plant: (scenario: Scenario) => Scenario = (scenario) => scenario,
): Promise<Record<string, Counters>> {
  const addon = loadAddon()
  const table: Record<string, Counters> = {}
  for (const device of devices) {
    for (const scenario of countedScenarios) {
      const backend = nativeBackend({ device })
      const { run, close } = await plant(scenario).make(core, backend)
      for (let i = 0; i < warm; i++) await run()
      table[`${scenario.name}, ${device}`] = await counted(addon, run)
      close?.()
    }
  }
  return table
}
