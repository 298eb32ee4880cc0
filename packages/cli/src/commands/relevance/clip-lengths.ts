import { type CsvRow, decimalNumber, decimalRemedy, readCsv, SonotextError } from '@sonotext/core/base'
import { readManifest } from '@sonotext/core/data'

interface LengthOptions {
  readonly signal: AbortSignal
  /** Whether the file was named for its lengths: then it must have some. */
  readonly isNamed: boolean
}

/** Seconds by id of a clip, as a manifest has them. */
export async function lengthsOfManifest(
  file: string,
  { signal, isNamed }: LengthOptions,
): Promise<Map<string, number>> {
  const { clips } = await readManifest(file, { signal })
  const known = clips.flatMap(({ id, duration }) => (duration === undefined ? [] : [[id, duration] as const]))
  if (isNamed && known.length === 0)
    throw bad(file, 'no clip of the manifest has a duration.', 'Give "duration" in seconds.')
  return new Map(known)
}

/** Samples a second of Clotho, whose metadata give the part of a recording that a clip is in samples. */
const clothoRate = 44_100

/**
 * Seconds by id of a clip from a table with a column `fid`, `clip`, `item` or `file_name`, and `duration` (seconds) or `start_end_samples`
 * (Clotho). Empty cells are clips whose length is not known. Throws INVALID_FILE for a cell that is no length and a clip that occurs twice
 * with different ones, and, where the table was named for its lengths, for columns that are missing.
 */
export async function lengthsOfTable(
  file: string,
  { signal, isNamed }: LengthOptions,
): Promise<Map<string, number>> {
  const clips = await readCsv(file, { encoding: 'utf-8-or-latin1', signal })
  const id = ['fid', 'clip', 'item', 'file_name'].find((name) => clips.has(name))
  const column = ['duration', 'start_end_samples'].find((name) => clips.has(name))
  const lengths = new Map<string, number>()
  if (id === undefined || column === undefined) {
    if (!isNamed) return lengths
    throw bad(
      file,
      `Expected the columns fid (or clip, item, file_name) and duration (or start_end_samples), got ${clips.columns.join(',')}.`,
      'Give the length of each clip in seconds in a column duration; a manifest has them too.',
    )
  }
  for (const row of clips.rows) {
    const seconds = column === 'duration' ? durationOf(row, file) : lengthOfPart(row, file)
    if (seconds === null) continue
    const clip = row.get(id).trim()
    const before = lengths.get(clip)
    if (before !== undefined && before !== seconds)
      throw bad(
        `${file}:${row.line}`,
        `"${clip}" has two lengths, ${before} s and ${seconds} s.`,
        'Keep one.',
      )
    lengths.set(clip, seconds)
  }
  return lengths
}

function durationOf(row: CsvRow, file: string): number | null {
  const written = row.get('duration').trim()
  if (written === '') return null
  const seconds = decimalNumber(written)
  if (seconds !== undefined && seconds > 0) return seconds
  throw bad(
    `${file}:${row.line}`,
    `expected more than 0 seconds for duration, got "${written}".`,
    seconds === undefined ? decimalRemedy(written) : 'Leave the cell empty where it is not known.',
  )
}

/** `[139264, 1293089]` */
function lengthOfPart(row: CsvRow, file: string): number | null {
  const written = row.get('start_end_samples').trim()
  if (written === '') return null
  const [, from, to] = /^\[?\s*(\d+)\s*,\s*(\d+)\s*\]?$/.exec(written) ?? []
  if (to !== undefined && Number(to) > Number(from)) return (Number(to) - Number(from)) / clothoRate
  throw bad(
    `${file}:${row.line}`,
    `expected first and last sample for start_end_samples, as in [0, 441000], got "${written}".`,
    'Leave the cell empty where the length is not known.',
  )
}

function bad(file: string, message: string, remedy: string): SonotextError {
  return new SonotextError('INVALID_FILE', message, { file, remedy })
}
