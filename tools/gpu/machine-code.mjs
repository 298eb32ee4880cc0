// What nvcc made of kernels: read from a cubin, which is an ELF file, and compared with what it made of another version.
import { execFileSync } from 'node:child_process'

/** Sections of an ELF64 file of this byte order: { name, type, info, data }. */
function sectionsOf(elf) {
  const at = Number(elf.readBigUInt64LE(0x28))
  const [each, count, names] = [0x3a, 0x3c, 0x3e].map((offset) => elf.readUInt16LE(offset))
  const headers = Array.from({ length: count }, (_, index) => {
    const header = elf.subarray(at + index * each, at + (index + 1) * each)
    const [offset, size] = [0x18, 0x20].map((place) => Number(header.readBigUInt64LE(place)))
    const type = header.readUInt32LE(4)
    return {
      name: header.readUInt32LE(0),
      size,
      data: type === nothingInFile ? Buffer.alloc(0) : elf.subarray(offset, offset + size),
    }
  })
  return headers.map((header) => ({ ...header, name: textAt(headers[names].data, header.name) }))
}

const nothingInFile = 8

const textAt = (data, offset) => data.toString('latin1', offset, data.indexOf(0, offset))

/** Where addresses of symbols are put into a section: what stands there in the file does not say which. */
function relocations({ name, data }, symbols) {
  const each = name.startsWith('.rela') ? 24 : 16
  return Array.from({ length: data.length / each }, (_, index) => {
    const place = index * each
    const symbol = symbols[data.readUInt32LE(place + 12)]
    const addend = each === 24 ? data.readBigInt64LE(place + 16) : 0n
    return `${data.readBigUInt64LE(place)} ${data.readUInt32LE(place + 8)} ${symbol} ${addend}`
  })
}

/** Symbol → registers of a thread, from a list of attributes: a form, a kind, and two bytes that are a value or how many follow. */
function registersOf(data, symbols) {
  const [withData, count] = [4, 0x2f]
  const registers = new Map()
  for (let at = 0, size; at < data.length; at += 4 + size) {
    size = data[at] === withData ? data.readUInt16LE(at + 2) : 0
    if (data[at + 1] === count) registers.set(symbols[data.readUInt32LE(at + 4)], data.readUInt32LE(at + 8))
  }
  return registers
}

/**
 * The kernels of a cubin, by their names in words, and what they share: all as text or hexadecimal. Of a kernel: its instructions, registers,
 * bytes of parameters and of shared memory, constants, relocations.
 */
export function machineCode(elf) {
  const sections = sectionsOf(elf)
  const texts = sections.filter(({ name }) => name.startsWith('.text.'))
  const named = wordsFor(texts.map(({ name }) => name.slice('.text.'.length)))
  const strings = sections.find(({ name }) => name === '.strtab').data
  const table = sections.find(({ name }) => name === '.symtab').data
  const all = Array.from({ length: table.length / 24 }, (_, index) =>
    textAt(strings, table.readUInt32LE(index * 24)),
  )
  const symbols = all.map(withoutHash)
  const registers = registersOf(sections.find(({ name }) => name === '.nv.info').data, all)
  const kernels = new Map()
  for (const text of texts) {
    const symbol = text.name.slice('.text.'.length)
    const own = sections.filter(
      ({ name }) => name.endsWith(`.${symbol}`) && !/^\.(nv\.info|debug)/.test(name),
    )
    const parts = own.map((section) =>
      section.name.startsWith('.rel')
        ? `relocations ${relocations(section, symbols).join(', ')}`
        : `${section.name.slice(0, -symbol.length)} ${section.size} ${section.data.toString('hex')}`,
    )
    kernels.set(named.get(symbol), [`registers ${registers.get(symbol)}`, ...parts.sort()].join('\n'))
  }
  const shared = sections
    .filter(({ name }) => /^\.nv\.(constant\d+|global(\.init)?)$/.test(name))
    .map(({ name, size, data }) => `${name} ${size} ${data.toString('hex')}`)
    .sort()
    .join('\n')
  return { kernels, shared }
}

/** A name without what stands in it for the compilation: where an anonymous namespace is, its file's path and options. */
const withoutHash = (symbol) =>
  symbol.replaceAll(/\d+_GLOBAL__N__\w*?_cu_[0-9a-f]{8}(_\d+)?/g, '_GLOBAL__N_1')

/** Symbol → its name in words. */
function wordsFor(symbols) {
  if (symbols.length === 0) return new Map()
  const words = execFileSync('c++filt', { input: symbols.join('\n'), encoding: 'utf8' })
    .trim()
    .split('\n')
  return new Map(symbols.map((symbol, index) => [symbol, words[index]]))
}

/**
 * Whether every kernel that was there is there still, its code the same: `kernels` were compared, of which `renamed` have another name now,
 * `changed` are gone or not the same. Kernels that came are no matter.
 */
export function compareCode(before, after) {
  const changed = []
  let renamed = 0
  const others = new Set(
    [...after.kernels].filter(([name]) => !before.kernels.has(name)).map(([, code]) => code),
  )
  for (const [name, code] of before.kernels) {
    if (after.kernels.get(name) === code) continue
    if (!after.kernels.has(name) && others.has(code)) renamed += 1
    else changed.push(name)
  }
  if (before.shared !== after.shared) changed.push('constants that kernels share')
  return { kernels: before.kernels.size, renamed, changed }
}

/** A source without its comments and blank lines. */
export function withoutComments(text) {
  const bare = text.replaceAll(
    /("(?:[^"\\\n]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (_, string) => string ?? ' ',
  )
  return bare
    .split('\n')
    .map((line) => line.trim().replaceAll(/\s+/g, ' '))
    .filter((line) => line !== '')
    .join('\n')
}
