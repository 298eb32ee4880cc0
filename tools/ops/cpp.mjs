// The C++ files made from ops.def: the table (core/ops.hpp), the checks (core/check.cpp), the list of kernel files
// (cpu/isa/kernels.inl), and how to draw valid arguments of every op (test/drawn_ops.hpp).
import { render } from './expression.mjs'
import { isWithin } from './meaning.mjs'

export const head = (comment) =>
  ['Written by tools/ops.mjs from core/ops.def; not edited by hand.', ...comment]
    .map((line) => `// ${line}`.trim())
    .join('\n')

export const structOf = (name) =>
  `${name.replace(/(^|_)([a-z0-9])/g, (_, __, letter) => letter.toUpperCase())}Args`

/** Elementwise ops share one kernel file; the others have one by the name of the forward op. */
export const fileOf = (op) => (op.elementwise ? 'elementwise' : (op.forward ?? op).name)

const elements = { float: 'F32', int: 'I32', bytes: 'U8' }
const viewOf = ({ type, words, direction }) =>
  `${words ? 'U32' : elements[type]}${direction === 'in' ? 'In' : 'Out'}`

/** "[m × k] read only when beta != 0" */
export function describe({ shape, optional, range, offsets, choices, comment }) {
  const parts = []
  if (shape !== undefined) parts.push(`[${shape.text}]${optional ? ' or null' : ''}`)
  if (range !== undefined) parts.push(`from ${range.text}`)
  if (offsets !== undefined) parts.push(`offsets of rows of ${offsets.over}`)
  if (choices?.some(({ label }) => label !== undefined))
    parts.push(choices.map(({ value, label }) => `${value} ${label}`).join(', '))
  const text = parts.join(', ')
  if (comment === undefined) return text
  return text === '' ? comment : `${text}${shape !== undefined && parts.length === 1 ? ' ' : '; '}${comment}`
}

function struct(op) {
  const name = structOf(op.name)
  const field = (type, each) => {
    const comment = describe(each)
    return `  ${type} ${each.name};${comment === '' ? '' : `  // ${comment}`}`
  }
  const isReal = ({ kind }) => kind === 'real'
  const fields = [
    ...op.buffers.map((buffer) => field(viewOf(buffer), buffer)),
    ...op.numbers.map((number) => field(isReal(number) ? 'double' : 'i64', number)),
  ]
  const visits = [
    ...op.buffers.map(({ name, direction, optional }) => [optional ? `opt_${direction}` : direction, name]),
    ...op.numbers.map((number) => [isReal(number) ? 'number' : 'integer', number.name]),
  ]
  const lines = visits.map(([method, name]) => `    visitor.${method}("${name}", ${name});`)
  return [
    ...op.comment.map((line) => `// ${line}`),
    `struct ${name} {`,
    ...fields,
    '',
    `  static constexpr bool kInPlace = ${op.elementwise};`,
    '',
    '  template <class Visitor>',
    '  constexpr void visit(Visitor& visitor) {',
    ...lines,
    '  }',
    '};',
  ].join('\n')
}

export function opsHeader(ops) {
  const groups = Map.groupBy(ops, ({ group }) => group)
  const structs = [...groups].flatMap(([group, own]) => [`// ---- ${group} ----`, ...own.map(struct)])
  const rows = ops.map(({ name }) => `  X(${name}, ${structOf(name)})`)
  return `${head([
    '',
    'THE op table. One row per op; an instruction set or a device fills the entries it has, null means "not mine".',
    'visit() tells bindings and fallbacks name and direction of every argument; a nullable view is marked `opt_`. Sizes and',
    'ranges are checked by core/check.cpp before an op is called: kernels may assume them.',
  ])}
#pragma once

#include "exec.hpp"
#include "status.hpp"
#include "views.hpp"

namespace sonotext {

${structs.join('\n\n')}

// ---- the table ----

#define SONOTEXT_OPS(X) \\
${rows.join(' \\\n')}

struct OpTable {
#define SONOTEXT_ENTRY(name, Args) Status (*name)(const Args&, Exec&) = nullptr;
  SONOTEXT_OPS(SONOTEXT_ENTRY)
#undef SONOTEXT_ENTRY
};

}  // namespace sonotext
`
}

export function kernelList(ops) {
  const files = [...new Set(ops.map(fileOf))]
  return `${head(['Every CPU kernel file.'])}
${files.map((file) => `#include "../kernels/${file}.inl"`).join('\n')}
`
}

function words(op) {
  return {
    name: (name) => {
      const buffer = op.inferred.get(name)
      if (buffer !== undefined) return `a.${buffer.name}.size`
      return op.loopVariable === name ? name : `a.${name}`
    },
    element: (name, index) => `i64{a.${name}[${index}]}`, // in 32 bits a sum of elements could wrap to where it passes
    given: (name) => `a.${name}`,
    floor: (text) => `(${text})`,
    operators: { '·': '*', and: '&&', or: '||' },
  }
}

const quoted = (text) => `"${text}"`

function numberCheck({ name, kind, min, max, below, choices }) {
  const value = `a.${name}`
  if (kind === 'size') return `c.extent(${quoted(name)}, ${value}, ${min});`
  if (kind === 'word') return `c.word(${quoted(name)}, ${value});`
  if (kind === 'choice') {
    const expected = choices.map((choice) => choice.value + (choice.label ? ` (${choice.label})` : ''))
    const condition = choices.map((choice) => `${value} == ${choice.value}`).join(' || ')
    return `c.that(${condition}, ${quoted(orList(expected))}, ${quoted(name)}, ${value});`
  }
  const tests = []
  if (min !== undefined) tests.push(`${value} >= ${min}`)
  if (max !== undefined) tests.push(`${value} <= ${max}`)
  if (below !== undefined) tests.push(`${value} < ${below}`)
  if (tests.length === 0) return ''
  return `c.that(${tests.join(' && ')}, ${quoted(realText({ min, max, below }))}, ${quoted(name)});`
}

export function realText({ min, max, below }) {
  if (below !== undefined) return `a number from ${min} to below ${below}`
  if (max !== undefined) return `a number from ${min} to ${max}`
  return min === undefined ? 'a finite number' : `a finite number from ${min}`
}

export const orList = (items) =>
  items.length === 1 ? items[0] : `${items.slice(0, -1).join(', ')} or ${items.at(-1)}`

/** "n × d values", or of which argument there must be as many. */
function sizeText(op, buffer) {
  const [factor, ...rest] = buffer.shape.factors
  const source = rest.length === 0 && factor.op === 'name' ? op.inferred.get(factor.name) : undefined
  if (source !== undefined) return `as many values as ${source.name}`
  return buffer.shape.text === '1' ? '1 value' : `${buffer.shape.text} values`
}

function sizeCheck(op, buffer) {
  if ([...op.inferred.values()].includes(buffer)) return ''
  const extents = buffer.shape.factors.map((factor) => render(factor, words(op)))
  const method = buffer.optional ? 'optional' : 'sized'
  return `c.${method}(${quoted(buffer.name)}, a.${buffer.name}, ${quoted(sizeText(op, buffer))}, {${extents.join(', ')}});`
}

function contentCheck(op, { name, range, offsets }) {
  const own = words(op)
  if (offsets !== undefined)
    return `c.offsets(${quoted(name)}, a.${name}, ${render(offsets.rows, own)}, a.${offsets.over}.size);`
  if (range === undefined) return ''
  const [low, high] = [range.low, range.high].map((bound) => render(bound, own))
  return `c.within(${quoted(name)}, a.${name}, ${low}, ${high}, "integers from ${range.text}");`
}

function requireCheck(op, { condition, argument, expected, loop }) {
  const own = words({ ...op, loopVariable: loop?.variable })
  const isNumber = op.numbers.some(({ name, kind }) => name === argument && kind !== 'real')
  const isElement = loop !== undefined && isWithin(op, loop, argument, 0)
  const got = isNumber ? `, a.${argument}` : isElement ? `, a.${argument}[${loop.variable}]` : ''
  const test = `c.that(${render(condition, own)}, ${quoted(expected)}, ${quoted(argument)}${got});`
  if (loop === undefined) return `if (c.ok()) ${test}`
  const { variable } = loop
  return `for (i64 ${variable} = 0; c.ok() && ${variable} < ${own.name(loop.bound)}; ++${variable}) {\n    ${test}\n  }`
}

/** Breaks a statement of more than 110 columns behind commas and logical operators, outside of texts. */
function wrapped(line) {
  if (line.length <= 110) return line
  const pieces = line.match(/(?:"[^"]*"|[^",&|]|[,&|](?! ))+(?:[,&|] |$)/g)
  const lines = ['']
  for (const piece of pieces) {
    if (lines.at(-1) !== '' && (lines.at(-1) + piece).trimEnd().length > 110) lines.push('      ')
    lines[lines.length - 1] += piece
  }
  return lines.map((each) => each.trimEnd()).join('\n')
}

function check(op) {
  const plain = op.requires.filter(({ loop }) => loop === undefined)
  const loops = op.requires.filter(({ loop }) => loop !== undefined)
  const lines = [
    ...op.numbers.map(numberCheck),
    ...plain.map((each) => requireCheck(op, each)),
    'if (!c.ok()) return c;', // sizes divide by extents
    ...op.buffers.map((buffer) => sizeCheck(op, buffer)),
    ...op.buffers.map((buffer) => contentCheck(op, buffer)),
    ...loops.map((each) => requireCheck(op, each)),
  ].filter((line) => line !== '')
  return `Status check(const ${structOf(op.name)}& a) {
  Checker c(a);
${lines.flatMap((line) => line.split('\n').map((each) => wrapped(`  ${each}`))).join('\n')}
  return c;
}`
}

export function checks(ops) {
  return `${head([])}
#include "check.hpp"

#include "checker.hpp"

namespace sonotext {

${ops.map(check).join('\n\n')}

}  // namespace sonotext
`
}

function drawNumber({ name, kind, min = '-INFINITY', max, below, choices }) {
  if (kind === 'size') return `d.size(a.${name}, ${min});`
  if (kind === 'word') return `d.word(a.${name});`
  if (kind === 'choice') return `d.choice(a.${name}, {${choices.map(({ value }) => value).join(', ')}});`
  return `d.real(a.${name}, ${min}, ${max ?? below ?? 'INFINITY'});`
}

function drawBuffer(op, buffer) {
  const own = words(op)
  const { name, direction, type, optional, range, offsets } = buffer
  const isFree = [...op.inferred.values()].includes(buffer)
  const rows = op.buffers.find((other) => other.offsets?.over === name)
  const size = () => buffer.shape.factors.map((factor) => render(factor, own))
  const count = rows
    ? `d.entries(${render(rows.offsets.rows, own)})`
    : isFree
      ? 'd.length()'
      : `d.product({${size().join(', ')}})`
  const suffix = optional ? 'opt_' : ''
  if (type !== 'int' || buffer.words || direction !== 'in')
    return `d.${suffix}${direction}(a.${name}, ${count});`
  if (offsets !== undefined)
    return `d.${suffix}offsets(a.${name}, ${render(offsets.rows, own)}, a.${offsets.over}.size);`
  const [low, high] =
    range === undefined ? ['0', '6'] : [range.low, range.high].map((each) => render(each, own))
  return `d.${suffix}integers(a.${name}, ${count}, ${low}, ${high});`
}

/** Rows' entries are drawn before their offsets. */
const entriesFirst = (buffers) => [
  ...buffers.filter(({ offsets }) => offsets === undefined),
  ...buffers.filter(({ offsets }) => offsets !== undefined),
]

export function drawnOps(ops) {
  const functions = ops.map(
    (op) => `template <class Draw>
void draw(Draw& d, ${structOf(op.name)}& a) {
${[...op.numbers.map(drawNumber), ...entriesFirst(op.buffers).map((each) => drawBuffer(op, each))].map((line) => `  ${line}`).join('\n')}
}`,
  )
  return `${head([
    '',
    'How to draw arguments of every op: numbers within their ranges, then buffers of the sizes that follow. What else must',
    'hold between them is for check() to say.',
  ])}
#pragma once

#include <cmath>

#include "../core/ops.hpp"

namespace sonotext::test {

${functions.join('\n\n')}

}  // namespace sonotext::test
`
}
