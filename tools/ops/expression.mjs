// Expressions of ops.def: shapes (`n × 3·hidden`), ranges (`0..n - 1`) and conditions (`l > 0 or t == 0`), as trees and
// as text of C++ and TypeScript. Numbers are integers; a division stands in ⌊ ⌋.

const token = /\s*(?:(\d+)|([A-Za-z]\w*)|(==|!=|<=|>=|[-+*·/%<>()[\]⌊⌋×]))/y

function tokens(text) {
  const found = []
  token.lastIndex = 0
  while (token.lastIndex < text.trimEnd().length) {
    const at = token.lastIndex
    const match = token.exec(text)
    if (match === null) throw new Error(`unexpected "${text.slice(at).trim()}" in "${text}"`)
    found.push(match[1] ?? match[2] ?? match[3])
  }
  return found
}

const isName = (word) => word !== undefined && /^[A-Za-z]/.test(word) && !['and', 'or', 'not'].includes(word)

class Reader {
  constructor(text) {
    this.text = text
    this.words = tokens(text)
    this.at = 0
  }
  get next() {
    return this.words[this.at]
  }
  take(...wanted) {
    return wanted.includes(this.next) ? this.words[this.at++] : undefined
  }
  expect(word) {
    if (this.take(word) === undefined)
      throw new Error(`expected "${word}" before "${this.next ?? 'the end'}" in "${this.text}"`)
  }
  /** left-associative: operand (operator operand)* */
  chain(operators, operand) {
    let left = operand()
    for (let op = this.take(...operators); op !== undefined; op = this.take(...operators))
      left = { op, args: [left, operand()] }
    return left
  }
  condition() {
    return this.chain(['or'], () => this.chain(['and'], () => this.negation()))
  }
  negation() {
    return this.take('not') ? { op: 'not', args: [this.negation()] } : this.comparison()
  }
  comparison() {
    const left = this.sum()
    const op = this.take('==', '!=', '<', '<=', '>', '>=')
    return op === undefined ? left : { op, args: [left, this.sum()] }
  }
  sum() {
    return this.chain(['+', '-'], () => this.chain(['*', '·', '/', '%'], () => this.atom()))
  }
  atom() {
    if (this.take('(')) return this.closed(this.condition(), ')')
    if (this.take('⌊')) return this.closed({ op: 'floor', args: [this.sum()] }, '⌋')
    if (this.next === 'given') {
      this.at++
      this.expect('(')
      return this.closed({ op: 'given', name: this.name() }, ')')
    }
    if (/^\d/.test(this.next ?? '')) return { op: 'number', value: this.words[this.at++] }
    const name = this.name()
    return this.take('[')
      ? this.closed({ op: 'element', name, args: [this.sum()] }, ']')
      : { op: 'name', name }
  }
  name() {
    if (!isName(this.next))
      throw new Error(`expected a name at "${this.next ?? 'the end'}" in "${this.text}"`)
    return this.words[this.at++]
  }
  closed(tree, bracket) {
    this.expect(bracket)
    return tree
  }
  end(tree) {
    if (this.next !== undefined) throw new Error(`unexpected "${this.next}" in "${this.text}"`)
    return tree
  }
}

/** A condition or an integer. */
export function parseExpression(text) {
  const reader = new Reader(text)
  return reader.end(reader.condition())
}

/** The factors of `a × b × …`. */
export function parseShape(text) {
  const reader = new Reader(text)
  const factors = [reader.sum()]
  while (reader.take('×')) factors.push(reader.sum())
  return reader.end(factors)
}

/** Every argument and extent that a tree names. */
export function namesIn(tree) {
  const own = tree.name === undefined ? [] : [tree.name]
  return [...own, ...(tree.args ?? []).flatMap(namesIn)]
}

const rank = (op) =>
  ({ or: 1, and: 2, '==': 3, '!=': 3, '<': 3, '<=': 3, '>': 3, '>=': 3, '+': 4, '-': 4 })[op] ?? 5

/** The tree as text. `words` gives names, elements, `given` and floors in the language's own way. */
export function render(tree, words) {
  switch (tree.op) {
    case 'number':
      return words.number?.(tree.value) ?? tree.value
    case 'name':
      return words.name(tree.name)
    case 'given':
      return words.given(tree.name)
    case 'element':
      return words.element(tree.name, render(tree.args[0], words))
    case 'floor':
      return words.floor(render(tree.args[0], words))
    case 'not':
      return `!(${render(tree.args[0], words)})`
  }
  const [left, right] = tree.args.map((child, i) => {
    const text = render(child, words)
    const isBinary = child.args?.length === 2
    // `and` within `or` needs none, but compilers warn
    const closed =
      isBinary && (rank(child.op) < rank(tree.op) + i || (tree.op === 'or' && child.op === 'and'))
    return closed ? `(${text})` : text
  })
  return `${left} ${words.operators[tree.op] ?? tree.op} ${right}`
}
