#!/usr/bin/env node
// One op has one name and one argument list everywhere: compares the C++ table (core/ops.hpp), the typed edge
// (addon.d.ts), the Backend port, the reference backend, the kernel files, the CUDA pairs, the tolerance table and the op
// list of docs/native.md. Its planted faults are checked on every run.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const native = join(root, 'packages/native-cuda')
const core = join(root, 'packages/core-ts/src')
const read = (path) => readFileSync(path, 'utf8')

/** op → [[argument, kind]…] from the X-macro rows and the visit() bodies. Kind: float, int, number; `?` when optional. */
export function cppTable(text) {
  const rows = [...text.matchAll(/^\s*X\((\w+), (\w+)\)/gm)].map((match) => [match[1], match[2]])
  const table = new Map()
  for (const [op, struct] of rows) {
    const body = text.match(new RegExp(`struct ${struct} \\{([\\s\\S]*?)\\n\\};`))?.[1]
    if (body === undefined) throw new Error(`ops.hpp: no struct ${struct}`)
    const integers = new Set(
      [...body.matchAll(/^\s*I32(?:In|Out) ([^;]+);/gm)].flatMap((match) => match[1].split(/,\s*/)),
    )
    const fields = [...body.matchAll(/\.(in|out|inout|opt_in|opt_out|integer|number)\("(\w+)", (\w+)\)/g)]
    table.set(
      op,
      fields.map(([, kind, name, member]) => [
        name,
        kind === 'integer' || kind === 'number'
          ? 'number'
          : `${integers.has(member) ? 'int' : 'float'}${kind.startsWith('opt') ? '?' : ''}`,
      ]),
    )
  }
  return table
}

/** The same from port.ts. */
export function portTable(text) {
  const rows = [...text.match(/interface OpArgs \{([\s\S]*?)\n\}/)[1].matchAll(/^\s*(\w+): (\w+)$/gm)]
  const table = new Map()
  for (const [, op, name] of rows) {
    const body = text.match(new RegExp(`interface ${name} \\{([\\s\\S]*?)\\n\\}`))?.[1]
    if (body === undefined) throw new Error(`port.ts: no interface ${name}`)
    const fields = [...body.matchAll(/^ {2}(\w+): (FloatBuffer|Int32Array|number)( \| null)?$/gm)]
    table.set(
      op,
      fields.map(([, field, type, optional]) => [
        field,
        (type === 'number' ? 'number' : type === 'Int32Array' ? 'int' : 'float') + (optional ? '?' : ''),
      ]),
    )
  }
  return table
}

export function compareTables(cpp, port) {
  const problems = []
  for (const op of new Set([...cpp.keys(), ...port.keys()])) {
    if (!port.has(op)) problems.push(`${op}: in the C++ table, not in the port`)
    else if (!cpp.has(op)) problems.push(`${op}: in the port, not in the C++ table`)
    else {
      const left = JSON.stringify(Object.fromEntries([...cpp.get(op)].sort()))
      const right = JSON.stringify(Object.fromEntries([...port.get(op)].sort()))
      if (left !== right) problems.push(`${op}: arguments differ\n  C++  ${left}\n  port ${right}`)
    }
  }
  return problems
}

/** Problems of a list of names that must hold exactly the table's ops. */
export function compareNames(where, names, table) {
  return [
    ...names.filter((name) => !table.has(name)).map((name) => `${where} names ${name}, which is not an op`),
    ...[...table.keys()].filter((op) => !names.includes(op)).map((op) => `${where} lacks ${op}`),
  ]
}

const forward = (op) => op.replace(/_backward$/, '')

/** Table entries that a kernel file defines; its other functions may take the same arguments. */
export function entriesOf(text, table) {
  const functions = [...text.matchAll(/^inline Status (\w+)\(const \w+Args&/gm)]
  return functions.map((match) => match[1]).filter((name) => table.has(name))
}

/** A family of ops is one file, or several that begin with its name. */
export function inFamily(file, op) {
  return file === `${forward(op)}.inl` || file.startsWith(`${forward(op)}_`)
}

function check() {
  const cpp = cppTable(read(join(native, 'native/core/ops.hpp')))
  const port = portTable(read(join(core, 'backend/port.ts')))
  const problems = compareTables(cpp, port)
  const families = new Set([...cpp.keys()].map(forward))

  const kernels = readdirSync(join(native, 'native/cpu/kernels')).filter((file) => file.endsWith('.inl'))
  const defined = kernels.flatMap((file) =>
    entriesOf(read(join(native, 'native/cpu/kernels', file)), cpp).map((op) => ({ op, file })),
  )
  problems.push(
    ...compareNames(
      'cpu/kernels',
      defined.map(({ op }) => op),
      cpp,
    ),
  )
  for (const { op, file } of defined) {
    if (!inFamily(file, op)) problems.push(`cpu/kernels: ${op} is in ${file}, expected ${forward(op)}.inl`)
  }

  const cuda = readdirSync(join(native, 'native/cuda'))
  for (const file of cuda.filter((name) => name.endsWith('.cu'))) {
    const op = file.slice(0, -3)
    if (!families.has(op)) problems.push(`cuda/${file} is not named after an op`)
    if (!cuda.includes(`${op}.cuh`)) problems.push(`cuda/${file} has no ${op}.cuh`)
  }

  const lists = [
    [join(native, 'src/addon.d.ts'), /type OpName =([\s\S]*?)\n\n/, /'(\w+)'/g],
    [join(core, 'backend/reference/index.ts'), /^const ops\b[\s\S]*?\n\}/m, /^ {2}(\w+)\b/gm],
    [join(core, 'testing/tolerance.ts'), /^export const tolerance\b[\s\S]*?\n\}/m, /^ {2}(\w+): /gm],
    [join(root, 'docs/native.md'), /<!-- ops -->([\s\S]*?)<!-- \/ops -->/, /`(\w+)`/g],
  ]
  for (const [path, section, name] of lists) {
    const where = path.slice(root.length + 1)
    const text = existsSync(path) ? read(path).match(section)?.[0] : undefined
    if (text === undefined) problems.push(`${where}: no op list found`)
    else
      problems.push(
        ...compareNames(
          where,
          [...text.matchAll(name)].map((match) => match[1]),
          cpp,
        ),
      )
  }
  return { problems, count: cpp.size }
}

/** Each planted fault must be caught; returns the ones that were not. */
function selfTest() {
  const cpp =
    'struct AArgs {\n  F32In x;\n  I32In i;\n  void visit() { v.in("x", x), v.in("i", i), v.integer("n", n); }\n};\n  X(a, AArgs)\n'
  const port =
    'export interface AArgs {\n  x: FloatBuffer\n  i: Int32Array\n  n: number\n}\nexport interface OpArgs {\n  a: AArgs\n}\n'
  const second = cpp.replace('AArgs {', 'BArgs {').replace('X(a, AArgs)', 'X(b, BArgs)')
  const secondPort =
    'export interface BArgs {\n  x: FloatBuffer\n}\n' + port.replace('  a: AArgs', '  a: AArgs\n  b: BArgs')
  const faults = {
    'an argument renamed': [cpp, port.replace('  n: number', '  m: number')],
    'an argument of another kind': [cpp, port.replace('i: Int32Array', 'i: FloatBuffer')],
    'an argument made optional': [cpp, port.replace('x: FloatBuffer', 'x: FloatBuffer | null')],
    'an op missing in the port': [cpp + second, port],
    'an op missing in C++': [cpp, secondPort],
  }
  const missed = Object.entries(faults)
    .filter(([, [left, right]]) => compareTables(cppTable(left), portTable(right)).length === 0)
    .map(([name]) => name)
  if (compareTables(cppTable(cpp), portTable(port)).length > 0)
    missed.push('(equal tables reported as different)')
  const kernels = 'inline Status a(const AArgs& x, Exec&) {\ninline Status a_part(const AArgs& x) {\n'
  if (entriesOf(kernels, cppTable(cpp)).join() !== 'a')
    missed.push('the entry among the functions of a kernel file')
  if (inFamily('b.inl', 'a') || inFamily('ab.inl', 'a') || !inFamily('a_grad.inl', 'a_backward'))
    missed.push('an entry in the file of another op')
  if (compareNames('list', ['z'], cppTable(cpp)).length !== 2) missed.push('a wrong name in a list')
  return missed
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const missed = selfTest()
  for (const fault of missed) console.error(`ops-agree: planted fault not caught: ${fault}`)
  const { problems, count } = check()
  for (const problem of problems) console.error(`ops-agree: ${problem}`)
  if (missed.length + problems.length > 0) process.exit(1)
  console.log(`ops-agree: ${count} ops agree everywhere, planted faults were caught`)
}
