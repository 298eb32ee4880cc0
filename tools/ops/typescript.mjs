// The TypeScript files made from ops.def: the Backend port's op types and their rules in core-ts, the reference's table,
// and the typed edge of native-cuda.
import { head, describe, orList, realText, structOf, fileOf } from './cpp.mjs'
import { namesIn, render } from './expression.mjs'

const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())
const kebab = (name) => name.replaceAll('_', '-')

function interfaceOf(op, types) {
  const field = ({ name, type, optional, ...rest }) => {
    const comment = describe({ optional, ...rest })
    const typed = type === undefined ? 'number' : types[type] + (optional ? ' | null' : '')
    return [...(comment === '' ? [] : [`  /** ${comment} */`]), `  ${name}: ${typed}`]
  }
  const said = op.comment.length > 0 ? op.comment : [`Arguments of \`${op.name}\`.`]
  return [
    ...['/**', ...said.map((line) => ` * ${line}`), ' */'],
    `export interface ${structOf(op.name)} {`,
    ...[...op.buffers, ...op.numbers].flatMap(field),
    '}',
  ].join('\n')
}

function opTypes(ops, types) {
  return `${ops.map((op) => interfaceOf(op, types)).join('\n\n')}

/** Every op by its one name, with its arguments. */
export interface OpArgs {
${ops.map(({ name }) => `  ${name}: ${structOf(name)}`).join('\n')}
}

/** Name of an op. */
export type OpName = keyof OpArgs
`
}

/** core-ts/src/backend/ops.ts */
export function portOps(ops) {
  return `${head([])}
import type { FloatBuffer } from './buffers.js'

${opTypes(ops, { float: 'FloatBuffer', int: 'Int32Array', bytes: 'Uint8Array' })}`
}

/** native-cuda/src/ops.d.ts */
export function edgeOps(ops) {
  return `${head([])}
import type { BufferHandle } from './addon.js'

/** Float32Arrays on a device over host memory, buffers of the device elsewhere. */
export type Floats = Float32Array | BufferHandle

${opTypes(ops, { float: 'Floats', int: 'Int32Array', bytes: 'Uint8Array' })}`
}

function words(op, loopVariable) {
  const nullable = new Set(op.buffers.filter(({ optional }) => optional).map(({ name }) => name))
  return {
    name: (name) => {
      const buffer = op.inferred.get(name)
      if (buffer !== undefined)
        return nullable.has(buffer.name) ? `(a.${buffer.name}?.length ?? 0)` : `a.${buffer.name}.length`
      return name === loopVariable ? name : `a.${name}`
    },
    number: (value) => (value.length > 15 ? '2 ** 63' : value),
    element: (name, index) => `a.${name}[${index}]!`,
    given: (name) => `a.${name} !== null`,
    floor: (text) => `Math.floor(${text})`,
    operators: { '·': '*', '==': '===', '!=': '!==', and: '&&', or: '||' },
  }
}

/** `(a) => expression`, without the parameter where nothing is read. */
function arrow(op, trees, text) {
  return `${trees.some((tree) => namesIn(tree).length > 0) ? '(a)' : '()'} => ${text}`
}

function bufferRule(op, buffer) {
  const own = words(op)
  const { name, direction, type, optional, shape, range, offsets } = buffer
  const factors = shape.factors.map((factor) => {
    const text = render(factor, own)
    return shape.factors.length > 1 && ['+', '-'].includes(factor.op) ? `(${text})` : text
  })
  const extras = []
  if ([...op.inferred.values()].includes(buffer)) extras.push('free: true')
  if (buffer.private) extras.push('private: true')
  if (range !== undefined) {
    const bounds = [range.low, range.high]
    extras.push(`range: ${arrow(op, bounds, `[${bounds.map((each) => render(each, own)).join(', ')}]`)}`)
  }
  if (offsets !== undefined)
    extras.push(
      `offsets: { rows: ${arrow(op, [offsets.rows], render(offsets.rows, own))}, over: '${offsets.over}' }`,
    )
  const size = arrow(op, shape.factors, factors.join(' * '))
  const rule = `buffer('${type}', '${direction}', ${size}${extras.length > 0 ? `, { ${extras.join(', ')} }` : ''})`
  return `    ${name}: ${optional ? `optional(${rule})` : rule},`
}

function numberRule({ name, kind, min, max, below, choices }) {
  const bounds = Object.entries({ min, max, below }).filter(([, value]) => value !== undefined)
  const object = `{ ${bounds.map(([key, value]) => `${key}: ${value}`).join(', ')} }`
  const rule = {
    size: () => `extent(${min})`,
    word: () => 'word',
    choice: () =>
      `oneOf('${orList(choices.map(({ value, label }) => value + (label ? ` (${label})` : '')))}', [${choices.map(({ value }) => value).join(', ')}])`,
    real: () => (bounds.length === 0 ? 'real' : `number('${realText({ min, max, below })}', ${object})`),
  }[kind]()
  return `    ${name}: ${rule},`
}

function signature(op) {
  return `  ${op.name}: {
${op.buffers.map((buffer) => bufferRule(op, buffer)).join('\n')}
${op.numbers.map(numberRule).join('\n')}
  },`
}

function requirement(op, { condition, argument, expected, loop }) {
  const own = words(op, loop?.variable)
  const test = render(condition, own)
  const holds = loop === undefined ? test : `every(${own.name(loop.bound)}, (${loop.variable}) => ${test})`
  const late = loop === undefined ? '' : ', reads: true'
  return `    { argument: '${argument}', expected: '${expected}', holds: (a) => ${holds}${late} },`
}

/** core-ts/src/backend/signatures.ts */
export function signatures(ops) {
  const related = ops.filter(({ requires }) => requires.length > 0)
  return `${head([])}
import type { OpArgs, OpName } from './ops.js'
import { buffer, every, extent, number, oneOf, optional, real, type Requirement, type Signature, word } from './rules.js'

/** Every op's arguments: direction, size and contents of each buffer, range of each number. */
export const signatures: { readonly [K in OpName]: Signature<OpArgs[K]> } = {
${ops.map(signature).join('\n')}
}

/** What relates an op's arguments beyond their sizes. */
export const requirements: { readonly [K in OpName]?: readonly Requirement<OpArgs[K]>[] } = {
${related.map((op) => `  ${op.name}: [\n${op.requires.map((each) => requirement(op, each)).join('\n')}\n  ],`).join('\n')}
}

/** Ops that work element by element: their output may be one of their inputs. */
export const elementwise: ReadonlySet<OpName> = new Set([
${ops
  .filter((op) => op.elementwise)
  .map(({ name }) => `  '${name}',`)
  .join('\n')}
] as const)
`
}

/** core-ts/src/backend/reference/table.ts */
export function referenceTable(ops) {
  const files = Map.groupBy(ops, fileOf)
  const imports = [...files].map(
    ([file, own]) => `import { ${own.map(({ name }) => camel(name)).join(', ')} } from './${kebab(file)}.js'`,
  )
  return `${head([])}
import type { OpName } from '../ops.js'
import type { HostArgs } from './host.js'
${imports.join('\n')}

export const table: { readonly [K in OpName]: (args: HostArgs<K>) => void } = {
${ops.map(({ name }) => `  ${name}: ${camel(name)},`).join('\n')}
}
`
}
