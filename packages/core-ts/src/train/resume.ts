import { SonotextError } from '../base/errors.js'

/** What a run consists of, as JSON: two runs of the same description do the same. */
export type Description = Readonly<Record<string, unknown>>

/**
 * Throws INVALID_CONFIG naming every difference, `loss.margin: 0.5 instead of 5`. Data is compared by fingerprint; where that
 * alone differs the error is INVALID_DATA.
 */
export function refuseOther(saved: Description, here: Description, file: string): void {
  const before = leavesOf(saved)
  const now = leavesOf(JSON.parse(JSON.stringify(here)))
  const different = [...new Set([...before.keys(), ...now.keys()])].filter(
    (name) => before.get(name) !== now.get(name),
  )
  if (different.length === 0) return
  const data = different.filter((name) => name.endsWith('fingerprint'))
  if (data.length === different.length) {
    const which = data.map((name) => `${name.slice(0, -'.fingerprint'.length)} batches`).join(' and the ')
    throw new SonotextError(
      'INVALID_DATA',
      `the ${which} are of other data or other batch options than the run was started with.`,
      {
        file,
        remedy:
          'Go on with the clips, captions and batch options of the run, or start a new run in another folder.',
      },
    )
  }
  const list = different.map((name) => {
    const [was, is] = [before.get(name) ?? 'none', now.get(name) ?? 'none']
    return was.length + is.length > 80 ? `another ${name}` : `${name}: ${was} instead of ${is}`
  })
  const more = list.length > 5 ? `; and ${list.length - 5} more` : ''
  throw new SonotextError(
    'INVALID_CONFIG',
    `Expected a checkpoint of this run, got one of another: ${list.slice(0, 5).join('; ')}${more}.`,
    {
      file,
      remedy: 'Resume with the options the run was started with, or start a new run in another folder.',
    },
  )
}

/** Every leaf by its dotted path; long lists, such as a vocabulary, are one leaf. */
function leavesOf(value: unknown, path = '', into = new Map<string, string>()): Map<string, string> {
  const inside = typeof value === 'object' && value !== null
  if (inside && !(Array.isArray(value) && value.every((item) => typeof item !== 'object'))) {
    for (const [key, child] of Object.entries(value))
      leavesOf(child, path === '' ? key : `${path}.${key}`, into)
  } else if (value !== undefined && value !== null) {
    into.set(path, typeof value === 'string' ? value : JSON.stringify(value))
  }
  return into
}
