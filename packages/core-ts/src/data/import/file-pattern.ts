import { expected } from '../../base/errors.js'

const placeholder = /\{(\w+)(?::(\d))?\}/g

/** Names that placeholders have for columns that data sets name otherwise. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  ytid: ['youtube_id', 'video_id'],
  start: ['start_time', 'start_s', 'start_seconds', 'onset'],
  end: ['end_time', 'end_s', 'end_seconds', 'offset'],
  file: ['fname', 'file_name', 'filename'],
}

/**
 * Names of audio files made from columns: `{ytid}_{start}.flac`. `{start:3}` writes three decimals. `has` says which columns there
 * are. Throws INVALID_ARGUMENT naming them for a pattern without placeholders or with one that is no column.
 */
export function filePattern(
  pattern: string,
  has: (column: string) => boolean,
  columns: readonly string[],
): (get: (column: string) => string) => string {
  const found = new Map<string, string>()
  const names = [...pattern.matchAll(placeholder)].map((match) => match[1]!)
  for (const name of names) {
    const column = [name, ...(otherNames[name] ?? [])].find(has)
    if (column !== undefined) found.set(name, column)
  }
  const whole = names.length > 0 && !/[{}]/.test(pattern.replace(placeholder, ''))
  if (!whole || names.some((name) => !found.has(name))) {
    throw expected(`a pattern with placeholders {${columns.join('}, {')}}`, 'filePattern', pattern)
  }
  return (get) =>
    pattern.replace(placeholder, (_, name: string, decimals: string | undefined) => {
      const value = get(found.get(name)!).trim()
      return decimals === undefined ? value : Number(value).toFixed(Number(decimals))
    })
}
