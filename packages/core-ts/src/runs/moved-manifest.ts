import { isSonotextError, SonotextError } from '../base/errors.js'

/** The error that the manifest of a run is not there, with what to do where it has moved; another error as it is. */
export function movedManifest(error: unknown, manifest: string, remedy: string): unknown {
  if (!isSonotextError(error) || error.code !== 'MISSING_FILE' || error.file !== manifest) return error
  return new SonotextError('MISSING_FILE', 'there is no such file, which the run was trained on.', {
    file: manifest,
    remedy: `Where it has moved, ${remedy}.`,
    cause: error,
  })
}
