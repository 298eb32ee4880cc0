import { SonotextError } from '../base/errors.js'
import { readLines } from '../base/text.js'

/** A line of a run's log.jsonl as it is read back. */
export interface LogLine {
  readonly kind: string
  readonly step: number
  /** Epochs with fraction. */
  readonly epoch: number
  /** Its numbers by name; those that were not finite are left out. */
  readonly values: Readonly<Record<string, number>>
  readonly message: string | undefined
}

/**
 * The lines of the last run in a log that `jsonlLogger` wrote. A last line that a kill cut in half is left out. Throws MISSING_FILE, and
 * INVALID_FILE naming the line for anything else.
 */
export async function readLog(file: string): Promise<LogLine[]> {
  const texts: string[] = []
  for await (const { text } of readLines(file)) texts.push(text)
  const lines = texts.flatMap((text, i) => {
    const line = parsed(text)
    if (line !== null) return [line]
    if (i === texts.length - 1) return []
    throw new SonotextError('INVALID_FILE', `line ${i + 1}: expected a line of a training log.`, {
      file,
      remedy: 'Give the folder of a run; its log.jsonl must be as training wrote it.',
    })
  })
  const start = lines.findLastIndex(({ kind, step }) => kind === 'start' && step === 0)
  return lines.slice(Math.max(0, start))
}

function parsed(text: string): LogLine | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const { kind, step, epoch, message, ...rest } = value as Record<string, unknown>
  if (typeof kind !== 'string' || typeof step !== 'number' || typeof epoch !== 'number') return null
  const numbers = Object.entries(rest).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  )
  return {
    ...{ kind, step, epoch, values: Object.fromEntries(numbers) },
    message: typeof message === 'string' ? message : undefined,
  }
}
