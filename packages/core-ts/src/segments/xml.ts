import { SonotextError } from '../base/index.js'

/** A start tag, or an end tag with all text since the start tag before it. */
export interface XmlTag {
  readonly name: string
  readonly kind: 'start' | 'end'
  readonly attributes: ReadonlyMap<string, string>
  readonly text: string
  /** Counted from 1. */
  readonly line: number
}

/**
 * Tags of an XML document one after the other, an empty one as start and end: what annotation files need of XML, in one pass. Names must
 * match, entities are the five of XML and numbers; a document type is refused, as what it declares could be anything. Throws INVALID_FILE.
 */
export function* xmlTags(document: string, file: string): Generator<XmlTag> {
  let line = 1
  let counted = 0
  const open: string[] = []
  const none: ReadonlyMap<string, string> = new Map()
  const wrong = (message: string): SonotextError =>
    new SonotextError('INVALID_FILE', `not well-formed XML: ${message}.`, { file: `${file}:${line}` })
  const count = (to: number): void => {
    for (let i = document.indexOf('\n', counted); i >= 0 && i < to; i = document.indexOf('\n', i + 1)) line++
    counted = to
  }
  const past = (mark: string, from: number, what: string): number => {
    const end = document.indexOf(mark, from)
    if (end < 0) throw wrong(`${what} does not end`)
    return end + mark.length
  }
  let text = ''
  let at = 0
  while (at < document.length) {
    const start = document.indexOf('<', at)
    const upTo = start < 0 ? document.length : start
    const between = document.slice(at, upTo)
    if (open.length === 0 && between.trim() !== '') throw wrong('text outside of the document')
    text += unescaped(between, wrong)
    if (start < 0) break
    count(start)
    if (document.startsWith('<!--', start)) at = past('-->', start + 4, 'a comment')
    else if (document.startsWith('<?', start)) at = past('?>', start + 2, 'an instruction')
    else if (document.startsWith('<![CDATA[', start)) {
      at = past(']]>', start + 9, 'a CDATA section')
      text += document.slice(start + 9, at - 3)
    } else if (document.startsWith('<!', start)) throw wrong('a document type is not read')
    else if (document.startsWith('</', start)) {
      at = past('>', start + 2, 'a tag')
      const name = document.slice(start + 2, at - 1).trimEnd()
      if (open.pop() !== name) throw wrong(`</${name.slice(0, 40)}> ends nothing`)
      yield { name, kind: 'end', attributes: none, text, line }
      text = ''
    } else {
      const tag = startTag(document, start, wrong)
      at = tag.end
      yield { name: tag.name, kind: 'start', attributes: tag.attributes, text: '', line }
      text = ''
      if (tag.empty) yield { name: tag.name, kind: 'end', attributes: none, text, line }
      else open.push(tag.name)
    }
  }
  if (open.length > 0) throw wrong(`<${open.at(-1)!.slice(0, 40)}> does not end`)
}

const namePattern = /[\p{L}_:][\p{L}\p{N}_:.-]*/uy
const attributePattern = /\s+([\p{L}_:][\p{L}\p{N}_:.-]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/uy
const endPattern = /\s*(\/?)>/y

function startTag(
  document: string,
  start: number,
  wrong: (message: string) => SonotextError,
): { name: string; attributes: Map<string, string>; empty: boolean; end: number } {
  namePattern.lastIndex = start + 1
  const name = namePattern.exec(document)?.[0]
  if (name === undefined) throw wrong('a < that begins no tag')
  const attributes = new Map<string, string>()
  let at = start + 1 + name.length
  for (;;) {
    attributePattern.lastIndex = at
    const attribute = attributePattern.exec(document)
    if (attribute === null) break
    if (attributes.has(attribute[1]!)) throw wrong(`the attribute ${attribute[1]!.slice(0, 40)} occurs twice`)
    attributes.set(attribute[1]!, unescaped(attribute[2] ?? attribute[3]!, wrong))
    at = attributePattern.lastIndex
  }
  endPattern.lastIndex = at
  const end = endPattern.exec(document)
  if (end === null) throw wrong(`the tag <${name.slice(0, 40)}> is broken`)
  return { name, attributes, empty: end[1] === '/', end: endPattern.lastIndex }
}

const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function unescaped(text: string, wrong: (message: string) => SonotextError): string {
  if (!text.includes('&')) return text
  return text.replace(
    /&(?:#(\d{1,7})|#x([\da-fA-F]{1,6})|(\w{1,8}));|&/g,
    (all, ten?: string, hex?: string, name?: string) => {
      const code =
        ten === undefined ? (hex === undefined ? undefined : Number.parseInt(hex, 16)) : Number(ten)
      if (code !== undefined && code > 0 && code <= 0x10ffff) return String.fromCodePoint(code).toWellFormed()
      if (name !== undefined && Object.hasOwn(named, name)) return named[name]!
      throw wrong(`the entity ${all} is not known`)
    },
  )
}

/** Text as XML holds it, between tags and in attributes. */
export function xmlEscaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
