// Reads ops.def into a list of ops. A `backward` is an op of its own whose buffers, numbers and conditions come from the
// forward's.
import { namesIn, parseExpression, parseShape } from './expression.mjs'
import { assertMeaning } from './meaning.mjs'

/**
 * → [{ name, group, comment: [line…], elementwise, buffers, numbers, requires, each }]
 * buffer  { name, direction: in|out|inout, type: float|int|bytes, optional, private, words, comment,
 *           shape: { text, factors }, range?: { text, low, high }, offsets?: { rows, over } }
 * number  { name, kind: size|choice|word|real, comment, min?, max?, below?, choices?: [{ value, label }] }
 * require { condition, argument, expected, loop?: { variable, bound } }
 * Buffers and conditions have the line that states them.
 */
export function parseOps(text) {
  const ops = []
  let group
  let comment = []
  let op
  let backward
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    try {
      if (line === '' || line.startsWith('//')) continue
      const heading = /^== (\w+) ==$/.exec(line)
      if (heading) {
        group = heading[1]
      } else if (line.startsWith('#')) {
        comment.push(line.replace(/^# ?/, ''))
      } else if (!/^\s/.test(raw)) {
        const [, name, elementwise] = matched(/^([a-z]\w*)( elementwise)?$/, line, 'the name of an op')
        op = {
          name,
          group,
          comment,
          elementwise: elementwise !== undefined,
          buffers: [],
          numbers: [],
          requires: [],
        }
        ops.push(op)
        backward = undefined
        comment = []
      } else if (line === 'backward') {
        backward = backwardOf(op, comment)
        ops.push(backward)
        comment = []
      } else {
        const [, body, note] = /^(.*?)(?:\s+# (.*))?$/.exec(line)
        const read = backward === undefined ? readLine : readBackwardLine
        read(backward ?? op, { line: i + 1, body, note })
      }
    } catch (error) {
      throw new Error(`ops.def:${i + 1}: ${error.message}`, { cause: error })
    }
  }
  for (const each of ops) finish(each)
  const twice = ops.find(({ name }, i) => ops.findIndex((other) => other.name === name) !== i)
  if (twice !== undefined) throw new Error(`ops.def: there are two ops ${twice.name}`)
  return ops
}

function matched(pattern, text, what) {
  const match = pattern.exec(text)
  if (match === null) throw new Error(`expected ${what}, got "${text}"`)
  return match
}

const names = (text) => text.split(/,\s*/)

function readLine(op, { line, body, note }) {
  const [, word, rest] = matched(/^(\w+\??) (.*)$/, body, 'an argument or a condition')
  switch (word) {
    case 'in':
    case 'in?':
    case 'out':
    case 'out?':
    case 'inout':
      op.buffers.push({ ...readBuffer(word, rest, note), line })
      return
    case 'require':
    case 'each':
      op.requires.push({ ...readRequire(body), line })
      return
    default:
      op.numbers.push(...readNumbers(word, rest, note))
  }
}

function readBuffer(word, text, comment) {
  const pattern = /^(private )?(\w+): (float|int|offsets|words|bytes)\[([^\]]+)\](?: of (\w+)| in (.+))?$/
  const [, isPrivate, name, type, shape, over, range] = matched(pattern, text, '`name: type[shape]`')
  const buffer = {
    name,
    direction: word.replace('?', ''),
    type: type === 'float' || type === 'bytes' ? type : 'int',
    optional: word.endsWith('?'),
    private: isPrivate !== undefined,
    words: type === 'words',
    comment,
    shape: shapeOf(type === 'offsets' ? `${shape} + 1` : shape),
  }
  if (type === 'bytes' && buffer.direction !== 'in') throw new Error(`bytes are only read: "${text}"`)
  if (type === 'offsets') buffer.offsets = { rows: parseExpression(shape), over }
  if (range !== undefined) {
    const [, low, high] = matched(/^(.+)\.\.(.+)$/, range, 'a range `low..high`')
    buffer.range = { text: `${low} to ${high}`, low: parseExpression(low), high: parseExpression(high) }
  }
  return buffer
}

function shapeOf(text) {
  return { text, factors: parseShape(text) }
}

function readNumbers(kind, text, comment) {
  if (kind === 'choice') {
    const [, name, list] = matched(/^(\w+) = (.+)$/, text, '`name = value label | …`')
    const choices = list.split(' | ').map((choice) => {
      const [, value, label] = matched(/^(\d+)(?: (.+))?$/, choice.trim(), 'a value and its label')
      return { value: Number(value), label }
    })
    return [{ name, kind, choices, comment }]
  }
  if (kind === 'flag') {
    return names(text).map((name) => ({
      name,
      kind: 'choice',
      choices: [{ value: 0 }, { value: 1 }],
      comment,
    }))
  }
  const [, list, least, low, open, high] = matched(
    /^([\w, ]+?)(?: >= (\S+)| in (\S+?)\.\.(<?)(\S+))?$/,
    text,
    'names and a range',
  )
  if (kind !== 'real' && (low !== undefined || (kind === 'word' && least !== undefined)))
    throw new Error(`a ${kind} takes no such range: "${text}"`)
  const bounds = { min: bound(least ?? low), [open === '<' ? 'below' : 'max']: bound(high) }
  if (kind === 'size')
    return names(list).map((name) => ({ name, kind, ...bounds, min: bounds.min ?? 0, comment }))
  if (kind === 'word' || kind === 'real')
    return names(list).map((name) => ({ name, kind, ...bounds, comment }))
  throw new Error(`expected in, out, inout, size, choice, flag, word, real, require or each, got "${kind}"`)
}

function bound(text) {
  if (text === undefined || Number.isFinite(Number(text)))
    return text === undefined ? undefined : Number(text)
  throw new Error(`expected a number for a bound, got "${text}"`)
}

function readRequire(line) {
  const pattern = /^(?:each (\w+) < (\w+) )?require (.+?) : (\w+) : (.+)$/
  const [, variable, limit, condition, argument, expected] = matched(
    pattern,
    line,
    '`require condition : argument : what is expected`',
  )
  const loop = variable === undefined ? undefined : { variable, bound: limit }
  return { condition: parseExpression(condition), argument, expected, loop }
}

function backwardOf(forward, comment) {
  return {
    ...forward,
    name: `${forward.name}_backward`,
    comment,
    forward,
    buffers: [],
    numbers: [...forward.numbers],
    requires: [],
    grads: [],
  }
}

const gradOf = (name) => `grad${name[0].toUpperCase()}${name.slice(1)}`

function readBackwardLine(op, { line, body, note }) {
  const { forward } = op
  const own = (name) => {
    const buffer = forward.buffers.find((candidate) => candidate.name === name.replace('?', ''))
    if (buffer === undefined) throw new Error(`${forward.name} has no buffer ${name}`)
    return { ...buffer, optional: name.endsWith('?'), comment: note ?? buffer.comment, line }
  }
  const [, word, rest] = matched(/^(\w+) (.*)$/, body, 'use, grad, without, require or each')
  if (word === 'use') {
    for (const name of names(rest)) op.buffers.push({ ...own(name), direction: 'in' })
  } else if (word === 'grad') {
    for (const name of names(rest))
      op.grads.push({ ...own(name), comment: note, name: gradOf(own(name).name), direction: 'out' })
  } else if (word === 'without') {
    for (const name of names(rest))
      if (!op.numbers.some((number) => number.name === name))
        throw new Error(`${forward.name} has no number ${name}`)
    op.numbers = op.numbers.filter(({ name }) => !names(rest).includes(name))
  } else if (word === 'require' || word === 'each') {
    op.requires.push({ ...readRequire(body), line })
  } else throw new Error(`expected use, grad, without, require or each, got "${word}"`)
}

function finish(op) {
  if (op.forward !== undefined) {
    const out = op.forward.buffers.find(({ name }) => name === 'out')
    op.buffers.push({ ...out, name: 'gradOut', direction: 'in', comment: undefined }, ...op.grads)
  }
  op.inferred = inferredExtents(op)
  if (op.forward !== undefined) {
    const known = knownNames(op)
    const inherited = op.forward.requires.filter((each) => namesOf(each).every((name) => known.has(name)))
    op.requires.unshift(...inherited)
  }
  assertNames(op)
  assertMeaning(op)
}

const knownNames = ({ buffers, numbers, inferred }) =>
  new Set([...[...buffers, ...numbers].map(({ name }) => name), ...inferred.keys()])

/** What a condition speaks of. */
function namesOf({ condition, argument, loop }) {
  const names = [...namesIn(condition), argument, ...(loop ? [loop.bound] : [])]
  return names.filter((name) => name !== loop?.variable)
}

/** Extents that are no argument: the length of the first buffer of exactly that shape gives them. → name → buffer */
function inferredExtents(op) {
  const given = new Set(op.numbers.map(({ name }) => name))
  const inferred = new Map()
  for (const buffer of op.buffers) {
    const [factor, ...rest] = buffer.shape.factors
    if (rest.length > 0 || factor.op !== 'name' || given.has(factor.name) || inferred.has(factor.name))
      continue
    inferred.set(factor.name, buffer)
  }
  return inferred
}

function assertNames(op) {
  const names = [...op.buffers, ...op.numbers].map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new Error(`ops.def: ${op.name} has two arguments ${twice}`)
  const known = knownNames(op)
  const used = [
    ...op.buffers.flatMap(({ shape, range, offsets }) => [
      ...shape.factors.flatMap(namesIn),
      ...(range ? [...namesIn(range.low), ...namesIn(range.high)] : []),
      ...(offsets ? [offsets.over] : []),
    ]),
    ...op.requires.flatMap(namesOf),
  ]
  const unknown = used.find((name) => !known.has(name))
  if (unknown !== undefined) throw new Error(`ops.def: ${op.name} has no argument or extent ${unknown}`)
}
