import process from 'node:process'

/**
 * A command as a shell takes it: words with blanks, quotes or other signs that a shell reads are put in quotes, so that the line can be
 * copied and run.
 */
export function shellLine(...words: readonly string[]): string {
  return words.map((word) => (/^[\p{L}\p{N}_./:=,@%+-]+$/u.test(word) ? word : quoted(word))).join(' ')
}

function quoted(word: string): string {
  return process.platform === 'win32'
    ? `"${word.replaceAll('"', '""')}"`
    : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

/** A path as an argument: one that begins with `-` is no option. */
export function pathArgument(path: string): string {
  return path.startsWith('-') ? `./${path}` : path
}
