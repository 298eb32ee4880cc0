import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { generate, problemsOf } from '../ops.mjs'
import { coverageProblems } from './coverage.mjs'
import { checks, drawnOps, fileOf, opsHeader } from './cpp.mjs'
import { difference } from './difference.mjs'
import { parseExpression, parseShape, render } from './expression.mjs'
import { parseOps } from './parse.mjs'
import { portOps, signatures } from './typescript.mjs'

const root = resolve(import.meta.dirname, '../..')
const read = (path) => readFileSync(join(root, path), 'utf8')
const statement = read('packages/native-cuda/native/core/ops.def')

const small = `
== network ==

# out = min(max(x, 0), most).
clip elementwise
  in x: float[count]    # anything
  out out: float[count]
  real most >= 0
  backward
    use out
    grad x

gather
  in? table: float[rows × ⌊d / 2⌋]
  in picks: int[count] in 0..rows - 1
  in starts: offsets[d] of picks
  out private saved: float[2·rows + 1 × d]
  size rows, d
  choice kind = 0 sum | 3 mean
  require given(table) or rows == 0 and d > 1 : table : a table
  each i < count require picks[i] % 2 == 0 : picks : even picks
`

describe('expressions', () => {
  const words = {
    name: (name) => name,
    element: (name, index) => `${name}[${index}]`,
    given: (name) => `has(${name})`,
    floor: (text) => `floor(${text})`,
    operators: { '·': '*', and: '&&', or: '||' },
  }
  it.each([
    ['a + b * c', 'a + b * c'],
    ['(a + b) * c', '(a + b) * c'],
    ['a - (b - c)', 'a - (b - c)'],
    ['a - b - c', 'a - b - c'],
    ['⌊a / b⌋ + 1', 'floor(a / b) + 1'],
    ['a == 0 or b > 0 and c < 1', 'a == 0 || (b > 0 && c < 1)'],
    ['not given(x) or x[i + 1] >= 2·n', '!(has(x)) || x[i + 1] >= 2 * n'],
  ])('%s', (text, wanted) => expect(render(parseExpression(text), words)).toBe(wanted))

  it('shapes are factors', () => {
    expect(parseShape('n × 3·h × ⌊w / k⌋').map((tree) => render(tree, words))).toEqual([
      'n',
      '3 * h',
      'floor(w / k)',
    ])
  })

  it.each(['a +', '(a', 'a b', '⌊a', 'a $ b', ''])('refuse "%s"', (text) => {
    expect(() => parseExpression(text)).toThrow()
  })
})

describe('the statement of an op', () => {
  const ops = parseOps(small)

  it('gives an op and its backward, which states no shape again', () => {
    expect(ops.map(({ name }) => name)).toEqual(['clip', 'clip_backward', 'gather'])
    const backward = ops[1]
    expect(backward.buffers.map(({ name, direction, shape }) => [name, direction, shape.text])).toEqual([
      ['out', 'in', 'count'],
      ['gradOut', 'in', 'count'],
      ['gradX', 'out', 'count'],
    ])
    expect(backward.numbers.map(({ name }) => name)).toEqual(['most'])
    expect(backward.inferred.get('count').name).toBe('out')
  })

  it('becomes C++', () => {
    const header = opsHeader(ops)
    expect(header).toContain(
      '// out = min(max(x, 0), most).\nstruct ClipArgs {\n  F32In x;  // [count] anything\n',
    )
    expect(header).toContain('visitor.opt_in("table", table);')
    expect(header).toContain('static constexpr bool kInPlace = true;')
    expect(header).toContain('  X(clip_backward, ClipBackwardArgs)')
    const checked = checks(ops)
    for (const line of [
      'c.sized("out", a.out, "as many values as x", {a.x.size});',
      'c.optional("table", a.table, "rows × ⌊d / 2⌋ values", {a.rows, (a.d / 2)});',
      'c.within("picks", a.picks, 0, a.rows - 1, "integers from 0 to rows - 1");',
      'c.offsets("starts", a.starts, a.d, a.picks.size);',
      'c.that(a.kind == 0 || a.kind == 3, "0 (sum) or 3 (mean)", "kind", a.kind);',
      'if (c.ok()) c.that(a.table || (a.rows == 0 && a.d > 1), "a table", "table");',
      'for (i64 i = 0; c.ok() && i < a.picks.size; ++i) {',
    ])
      expect(checked).toContain(line)
  })

  it('becomes TypeScript', () => {
    expect(portOps(ops)).toContain('  /** [rows × ⌊d / 2⌋] or null */\n  table: FloatBuffer | null')
    const rules = signatures(ops)
    for (const line of [
      `x: buffer('float', 'in', (a) => a.x.length, { free: true })`,
      `out: buffer('float', 'out', (a) => a.x.length)`,
      `table: optional(buffer('float', 'in', (a) => a.rows * Math.floor(a.d / 2)))`,
      `range: (a) => [0, a.rows - 1]`,
      `saved: buffer('float', 'out', (a) => (2 * a.rows + 1) * a.d, { private: true })`,
      `kind: oneOf('0 (sum) or 3 (mean)', [0, 3])`,
      `holds: (a) => every(a.picks.length, (i) => a.picks[i]! % 2 === 0), reads: true`,
    ])
      expect(rules).toContain(line)
  })

  it('knows bytes of a file: read only, and no index is read from them', () => {
    const bytes = parseOps('a\n  in x: bytes[3·n]\n  out out: float[n]\n  size n')
    expect(opsHeader(bytes)).toContain('  U8In x;  // [3·n]')
    expect(portOps(bytes)).toContain('x: Uint8Array')
    expect(signatures(bytes)).toContain("x: buffer('bytes', 'in', (a) => 3 * a.n)")
    expect(drawnOps(bytes)).toContain('d.in(a.x, d.product({3 * a.n}));')
    expect(() => parseOps('a\n  out x: bytes[n]\n  size n')).toThrow('bytes are only read')
    expect(() =>
      parseOps('a\n  in x: bytes[n]\n  size n\n  each i < n require x[i] > 0 : x : more'),
    ).toThrow()
  })

  it('knows packed words: integers to JavaScript, in C++ what no index is read from', () => {
    const packed = parseOps('a\n  in x: words[n]\n  out out: words[n]\n  size n')
    expect(opsHeader(packed)).toContain('  U32In x;  // [n]\n  U32Out out;  // [n]')
    expect(portOps(packed)).toContain('x: Int32Array')
    expect(drawnOps(packed)).toContain('d.in(a.x, d.product({a.n}));')
  })

  it.each([
    ['a\n  in x float[n]', 'ops.def:2: expected `name: type[shape]`'],
    ['a\n  in x: float[m × n]', 'a has no argument or extent m'],
    ['a\n  in x: float[n]\n  size n, n', 'a has two arguments n'],
    ['a\n  out out: float[n]\n  backward\n    grad y', 'ops.def:4: a has no buffer y'],
    ['a\n  size n in 1..5', 'ops.def:2: a size takes no such range'],
    ['a\n  size n >= k', 'expected a number for a bound, got "k"'],
    ['a\n  size n\nb\n  size n\na\n  size n', 'there are two ops a'],
    ['a\n  out out: float[n]\n  backward\n    without k', 'ops.def:4: a has no number k'],
    ['a\n  odd n', 'ops.def:2: expected in, out, inout, size'],
    ['a\n  size n\n  require n > : n : more', 'ops.def:3: expected a name at "the end"'],
  ])('is refused with its line: %j', (text, message) => expect(() => parseOps(text)).toThrow(message))

  const loops =
    'in picks: int[n]\n  in starts: offsets[n] of picks\n  in? odd: int[n]\n  in x: float[n]\n  size n, m'
  it.each([
    [loops, 'require picks[0] > 0 : picks : more', 'this element of picks need not be there'],
    [loops, 'each i < m require picks[i] > 0 : picks : more', 'this element of picks need not be there'],
    [loops, 'each i < n require picks[i + 1] > 0 : picks : more', 'this element of picks need not be there'],
    [
      loops,
      'each i < n require picks[picks[i]] > 0 : picks : more',
      'this element of picks need not be there',
    ],
    [loops, 'each i < n require odd[i] > 0 : odd : more', 'this element of odd need not be there'],
    [loops, 'each i < n require x[i] > 0 : x : more', 'this element of x need not be there'],
    [loops, 'each i < n require m > 0 : m : more', 'a condition that reads no element'],
    [loops, 'each n < n require picks[n] > 0 : picks : more', 'n is an argument already'],
    ['size n', 'in x: float[n / 2]', 'a division stands in ⌊ ⌋'],
    ['size n', 'in x: float[⌊n / 2 + 1⌋]', 'expected one division in ⌊ ⌋'],
    ['size n', 'in x: float[⌊(n - 3) / 2⌋]', 'expected sums and products of extents to divide'],
    ['size n, k', 'in x: float[⌊n / k⌋]', 'expected a divisor that is not 0'],
    ['size n, k', 'require n % k == 0 : n : a multiple', 'expected a divisor that is not 0'],
    ['size n', 'in x: float[(n > 2)]', 'expected a number, got ">"'],
    ['real r', 'in x: float[2·r]', 'expected an integer, got the real r'],
    ['size n', 'in x: int[n] in 0..x', 'expected a number, got the buffer x'],
    ['size n', 'require n : n : more', 'expected a condition, got a number'],
    ['in x: float[n]', 'require given(x) : x : it', 'given(x) is for a buffer that may be null'],
  ])('means nothing that both languages can check: %j, %s', (before, line, reason) => {
    const text = `a\n  ${before}\n  ${line}\n`
    const at = text.split('\n').length - 1
    expect(() => parseOps(text)).toThrow(`ops.def:${at}: a: ${reason}`)
  })

  it('of an elementwise op has one shape, forward and backward', () => {
    const text =
      'a elementwise\n  in x: float[n × k]\n  out out: float[n × k]\n  in bias: float[k]\n  size n, k\n'
    expect(() => parseOps(text)).toThrow(
      'ops.def:4: a: the buffers of an elementwise op have one shape, but x has [n × k], bias [k]',
    )
  })

  it('hands on to the backward what it can say there, elements and inferred extents included', () => {
    const forward = 'a\n  in picks: int[n]\n  out out: float[count]\n  size n\n'
    const conditions =
      '  require n < count : n : fewer\n  each i < n require picks[i] < count : picks : less\n'
    const [, whole] = parseOps(`${forward}${conditions}  backward\n    use picks, out\n`)
    expect(whole.requires).toHaveLength(2)
    const [, part] = parseOps(`${forward}${conditions}  backward\n    use out\n`)
    expect(part.requires.map(({ expected }) => expected)).toEqual(['fewer'])
    expect(checks([whole])).toContain(
      'i < a.n; ++i) {\n      c.that(i64{a.picks[i]} < a.out.size, "less", "picks", a.picks[i]);',
    )
  })

  it('shows the element at fault only where the loop reaches no further than its buffer', () => {
    const text =
      'a\n  in picks: int[n]\n  in few: int[m]\n  size n, m\n  each i < n require picks[i] > 0 : few : less\n'
    expect(checks(parseOps(text))).toContain('"less", "few");')
  })
})

describe('a checkout', () => {
  const ops = parseOps(statement)
  const changed = (path, change) => (asked) => (asked === path ? change(read(asked)) : read(asked))
  let paths
  beforeAll(async () => {
    paths = [...(await generate(ops, read('docs/native.md'))).keys()]
  })

  it('follows from ops.def', async () => expect(await problemsOf(ops, read)).toEqual([]))

  it('with any file that was written by hand is refused, and the difference is shown', async () => {
    for (const path of paths) {
      const planted = changed(path, (text) => text.replace(/(info_?)nce/gi, '$1mce'))
      const problems = await problemsOf(ops, planted)
      expect(problems, path).toHaveLength(1)
      expect(problems[0]).toMatch(new RegExp(`^${path} does not follow from ops.def:`))
      expect(problems[0]).toMatch(/\n {2}- .*info_?mce[\s\S]*\n {2}\+ .*info_?nce/i)
    }
  })

  it('with a changed statement is refused in every file that says so', async () => {
    const other = parseOps(statement.replace('in? bias: float[n]', 'in? bias: float[m]'))
    const stale = (await problemsOf(other, read)).map((line) => line.split(' ')[0])
    for (const file of ['ops.hpp', 'check.cpp', 'ops.d.ts', 'ops.ts', 'signatures.ts'])
      expect(stale.some((path) => path.endsWith(`/${file}`))).toBe(true)
  })

  it('tells what people have still to write', () => {
    const known = {
      kernels: new Map([
        ['elementwise.inl', 'inline Status clip(const ClipArgs& a'],
        ['clip.inl', 'inline Status clip_backward(const ClipBackwardArgs& a'],
      ]),
      cuda: ['gather.cu', 'other.cu', 'other.cuh'],
      reference: ['elementwise.ts'],
      tolerance: 'export const tolerance = {\n  clip: 1,\n  clap: 1,\n}\n',
      fileOf,
    }
    expect(coverageProblems(parseOps(small), known)).toEqual([
      'cpu/kernels: clip_backward is in clip.inl, expected elementwise.inl',
      'cpu/kernels/gather.inl has no entry gather',
      'backend/reference has no gather.ts',
      'cuda/gather.cu has no gather.cuh',
      'cuda/other.cu is not named after an op',
      'testing/tolerance.ts lacks clip_backward',
      'testing/tolerance.ts lacks gather',
      'testing/tolerance.ts names clap, which is not an op',
    ])
  })
})

it('differences are shown where they are', () => {
  const text = Array.from({ length: 30 }, (_, i) => `line ${i}`)
  const other = text.with(4, 'other').toSpliced(20, 0, 'new', 'newer').toSpliced(10, 1)
  expect(difference(text.join('\n'), other.join('\n'))).toBe(
    '\n  line 5\n  - line 4\n  + other\n  line 11\n  - line 10\n  line 20\n  + new\n  + newer',
  )
  expect(difference('a', 'a')).toBe('')
  expect(difference('a', Array(100).fill('b').join('\n'))).toMatch(/… \d+ more lines$/)
})
