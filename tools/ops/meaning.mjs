// What a statement may say beyond how it is written: only what the checks in C++ and in TypeScript decide alike, and what
// no check reads before another has made sure that it is there.

const comparisons = new Set(['==', '!=', '<', '<=', '>', '>='])

/** Throws with the line of ops.def and the reason. */
export function assertMeaning(op) {
  for (const buffer of op.buffers) {
    const { shape, range, offsets, line } = buffer
    const scope = { op, line, reals: false }
    const bounds = range === undefined ? [] : [range.low, range.high]
    const rows = offsets === undefined ? [] : [offsets.rows]
    for (const tree of [...shape.factors, ...bounds, ...rows]) assertNumber(tree, scope)
    if (op.elementwise && shape.text !== op.buffers[0].shape.text) {
      const [first] = op.buffers
      const others = `${first.name} has [${first.shape.text}], ${buffer.name} [${shape.text}]`
      refuse(scope, `the buffers of an elementwise op have one shape, but ${others}`)
    }
  }
  for (const { condition, loop, line } of op.requires) {
    const scope = { op, line, loop, reals: true }
    assertCondition(condition, scope)
    if (loop === undefined) continue
    if (op.numbers.some(({ name }) => name === loop.variable))
      refuse(scope, `${loop.variable} is an argument already`)
    if (elementsIn(condition).length === 0)
      refuse(scope, `a condition that reads no element holds once: leave "each" out`)
  }
}

/** Whether element `variable + ahead` of a buffer is there for every turn of a loop, once sizes are checked. */
export function isWithin(op, loop, name, ahead) {
  const buffer = op.buffers.find((candidate) => candidate.name === name)
  const [extent, ...more] = buffer?.shape.factors ?? []
  if (buffer?.type !== 'int' || buffer.direction !== 'in' || buffer.optional || more.length > 0) return false
  const isBound = (tree) => tree.op === 'name' && tree.name === loop.bound
  if (isBound(extent)) return ahead === 0
  return extent.op === '+' && isBound(extent.args[0]) && extent.args[1].value === '1' && ahead <= 1
}

function refuse({ op, line }, reason) {
  throw new Error(`ops.def:${line}: ${op.name}: ${reason}`)
}

const elementsIn = (tree) => [
  ...(tree.op === 'element' ? [tree] : []),
  ...(tree.args ?? []).flatMap(elementsIn),
]

function assertCondition(tree, scope) {
  if (['and', 'or', 'not'].includes(tree.op)) {
    for (const part of tree.args) assertCondition(part, scope)
  } else if (comparisons.has(tree.op)) {
    for (const side of tree.args) assertNumber(side, scope)
  } else if (tree.op === 'given') {
    const buffer = scope.op.buffers.find(({ name }) => name === tree.name)
    if (!buffer?.optional) refuse(scope, `given(${tree.name}) is for a buffer that may be null`)
  } else refuse(scope, 'expected a condition, got a number')
}

function assertNumber(tree, scope) {
  switch (tree.op) {
    case 'number':
      return
    case 'name':
      return assertName(tree.name, scope)
    case 'element':
      return assertElement(tree, scope)
    case 'floor':
      return assertDivision(tree.args[0], { ...scope, reals: false })
    case '%':
      assertNumber(tree.args[0], { ...scope, reals: false })
      return assertDivisor(tree.args[1], scope)
    case '+':
    case '-':
    case '*':
    case '·':
      for (const part of tree.args) assertNumber(part, scope)
      return
    case '/':
      return refuse(scope, 'a division stands in ⌊ ⌋: the languages divide integers otherwise')
    default:
      refuse(scope, `expected a number, got "${tree.op}"`)
  }
}

function assertName(name, { op, loop, reals, ...scope }) {
  if (name === loop?.variable || op.inferred.has(name)) return
  const number = op.numbers.find((candidate) => candidate.name === name)
  if (number === undefined) refuse({ op, ...scope }, `expected a number, got the buffer ${name}`)
  if (number.kind === 'real' && !reals) refuse({ op, ...scope }, `expected an integer, got the real ${name}`)
}

/** Only `[i]` and `[i + 1]` of integers, under `each i < n`, so that the sizes alone say that they are there. */
function assertElement({ name, args: [index] }, scope) {
  const { op, loop } = scope
  const next = index.op === '+' && index.args[1].value === '1'
  const variable = next ? index.args[0] : index
  if (variable.op === 'name' && variable.name === loop?.variable && isWithin(op, loop, name, next ? 1 : 0))
    return
  refuse(
    scope,
    `this element of ${name} need not be there: \`each i < n\` may read [i] of int[n], and [i] and [i + 1] of offsets[n]`,
  )
}

/** Of what cannot be negative by what cannot be 0: the languages agree on nothing else. */
function assertDivision(tree, scope) {
  if (tree.op !== '/') refuse(scope, 'expected one division in ⌊ ⌋')
  const [dividend, divisor] = tree.args
  assertNumber(dividend, scope)
  if (hasOp(dividend, ['-', 'element', 'floor', '%']))
    refuse(scope, 'expected sums and products of extents to divide')
  assertDivisor(divisor, scope)
}

const hasOp = (tree, ops) => ops.includes(tree.op) || (tree.args ?? []).some((part) => hasOp(part, ops))

function assertDivisor(tree, scope) {
  const number = scope.op.numbers.find(({ name }) => tree.op === 'name' && name === tree.name)
  const isPositive = tree.op === 'number' ? tree.value !== '0' : number?.kind === 'size' && number.min >= 1
  if (!isPositive) refuse(scope, 'expected a divisor that is not 0: a number, or a `size k >= 1`')
}
