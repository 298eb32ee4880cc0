import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe } from 'vitest'

const reason = 'no real data: set SONOTEXT_DATA to the folder that holds it'
let told = false

/**
 * Folder of real recordings, captions and ratings for tests and measurements, or null where there is none: the environment's
 * SONOTEXT_DATA, else `shared/data` beside the repository.
 */
export function realData(): string | null {
  const named = process.env.SONOTEXT_DATA
  if (named !== undefined && named !== '') {
    if (!existsSync(named)) throw new Error(`SONOTEXT_DATA names a folder that does not exist: ${named}`)
    return resolve(named)
  }
  const repository = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..')
  const beside = join(repository, '..', 'shared', 'data')
  return existsSync(beside) ? beside : null
}

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
