/** ASCII text of `length` bytes; bytes that are not printable become dots. */
export function ascii(bytes: Uint8Array, offset: number, length: number): string {
  let text = ''
  for (let i = Math.max(0, offset); i < Math.min(offset + length, bytes.length); i++) {
    text += bytes[i]! >= 32 && bytes[i]! < 127 ? String.fromCharCode(bytes[i]!) : '.'
  }
  return text
}

/** Whether the first 16 bytes match. */
export function beginsLike(bytes: Uint8Array, pattern: RegExp): boolean {
  return pattern.test(ascii(bytes, 0, 16))
}

/** What kind of text these bytes are, or undefined when they are none: downloads that failed often have an audio name. */
export function textKind(bytes: Uint8Array): string | undefined {
  const text = decoded(bytes.subarray(0, 2048))
  if (text === undefined) return undefined
  const start = text.trimStart()
  if (start === '') return 'nothing but blanks'
  if (start.startsWith('version https://git-lfs.github.com/spec')) return 'a pointer of Git LFS'
  if (/^(\/annex\/objects\/|\.?\.?\/?(\.\.\/)*\.git\/annex\/)/.test(start)) return 'a pointer of git-annex'
  if (/^(outs|md5|meta):/.test(start)) return 'a pointer of DVC'
  if (/^<(!doctype html|html|head|body)/i.test(start)) return 'a page of HTML'
  if (/^<(\?xml|[A-Za-z])/.test(start)) return 'XML'
  if (/^[{[]/.test(start)) return 'JSON'
  if (/^#EXTM3U|^\[playlist\]/i.test(start)) return 'a playlist'
  if (/^(https?|ftp|s3|gs):\/\/\S+\s*$/.test(start)) return 'an address'
  return `text that starts with ${JSON.stringify(start.slice(0, 24))}`
}

/** UTF-8 without control characters, or UTF-16 with its mark; undefined for anything else. */
function decoded(bytes: Uint8Array): string | undefined {
  const utf16 =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? 'utf-16be'
        : undefined
  try {
    // A piece may end inside a character: what is left over is no fault.
    const text = new TextDecoder(utf16 ?? 'utf-8', { fatal: true }).decode(bytes, { stream: true })
    return text === '' || /[\u0000-\u0008\u000e-\u001f\u007f]/.test(text) ? undefined : text
  } catch {
    return undefined
  }
}
