/**
 * The strings of a list as Python prints it (`['a.wav', "it's.wav"]`) or as JSON writes it; undefined for anything else. One pass over
 * the text.
 */
export function parseStringList(text: string): string[] | undefined {
  const trimmed = text.trim()
  if (!trimmed.startsWith('[') || !trimmed.endsWith(']')) return undefined
  const strings: string[] = []
  const inside = trimmed.slice(1, -1)
  const item = /\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*(,|$)/suy
  if (inside.trim() === '') return strings
  while (item.lastIndex < inside.length) {
    const at = item.lastIndex
    const match = item.exec(inside)
    if (match === null) return strings.length > 0 && inside.slice(at).trim() === '' ? strings : undefined
    strings.push((match[1] ?? match[2]!).replace(/\\(?:u([\da-f]{4})|x([\da-f]{2})|(.))/gisu, unescape))
  }
  return strings
}

const controls: Record<string, string> = { n: '\n', t: '\t', r: '\r' }

function unescape(_: string, wide?: string, narrow?: string, plain?: string): string {
  if (plain !== undefined) return controls[plain] ?? plain
  return String.fromCharCode(Number.parseInt((wide ?? narrow)!, 16))
}
