import { describe } from 'vitest'
import { realData } from '../data-folder.js'

const reason = 'no real data: set SONOTEXT_DATA to the folder that holds it'
let told = false

/** A suite that needs real data. Where there is none it counts as skipped and says why. */
export function describeWithRealData(title: string, suite: (data: string) => void): void {
  const data = realData()
  if (data !== null) {
    describe(title, () => suite(data))
    return
  }
  if (!told) process.stderr.write(`Some tests are skipped: ${reason}.\n`)
  told = true
  // The suite is still collected, so that its tests are counted as skipped, never silently absent.
  describe.skip(`${title} (${reason})`, () => suite('no-real-data'))
}
