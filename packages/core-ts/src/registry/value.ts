import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import type { ValueSchema } from './schema.js'

const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true, verbose: true })
ajv.addFormat('path', true)

const compiled = new WeakMap<ValueSchema, ValidateFunction>()

/** What is wrong with a value, as sentences without an end; none when it is right. */
export function problemsOfValue(schema: ValueSchema, value: unknown, path: string): string[] {
  let validate = compiled.get(schema)
  if (validate === undefined) compiled.set(schema, (validate = ajv.compile(schema)))
  if (validate(value)) return []
  // Of alternatives each has its own complaint; what would do says more.
  if (schema.anyOf !== undefined)
    return [`${path}: expected ${choicesOf(schema)}, got ${JSON.stringify(value)}`]
  return validate.errors!.map((error) => `${path}${within(error)}: ${wordsFor(error)}`)
}

function within({ instancePath }: ErrorObject): string {
  return instancePath.replaceAll('/', '.')
}

function wordsFor(error: ErrorObject): string {
  const got = `got ${JSON.stringify(error.data)}`
  if (error.keyword !== 'enum') return `${error.message}, ${got}`
  return `expected one of ${(error.params['allowedValues'] as unknown[]).join(', ')}, ${got}`
}

/** The values a schema leaves to choose from, as 'masked | padded-compat'; '' where it has too many to name. */
export function choicesOf(schema: ValueSchema): string {
  if (schema.const !== undefined) return String(schema.const)
  if (schema.enum !== undefined) return schema.enum.join(' | ')
  if (schema.anyOf !== undefined)
    return schema.anyOf.map((option) => choicesOf(option) || String(option.type)).join(' | ')
  return ''
}
