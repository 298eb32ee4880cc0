import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

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
