import { resolve } from 'node:path'
import { SonotextError } from '../base/errors.js'
import { nearest } from '../base/nearest.js'
import { type FamilyFacts, familyNamed } from './families.js'
import {
  type GroupSchema,
  type GroupsSchema,
  isGroup,
  isGroups,
  isPart,
  isParts,
  type PartConfig,
  type PartSchema,
  type PartsSchema,
  type Schema,
  type ValueSchema,
} from './schema.js'
import { problemsOfValue } from './value.js'

/** What parsing a configuration is told, and where it says what is wrong. */
export interface Parsing {
  /** Everything that is wrong is added here. */
  readonly problems: string[]
  /** Folder that relative paths start from. Default: they stay as they are. */
  readonly base?: string | undefined
  /** The key that an unknown one was meant to be, when it is not in its group. */
  readonly elsewhere?: (key: string) => string | undefined
}

/** Throws INVALID_CONFIG listing the problems; does nothing when there are none. */
export function refuse(problems: readonly string[], details: { file?: string; remedy?: string } = {}): void {
  if (problems.length > 0)
    throw new SonotextError('INVALID_CONFIG', `${[...new Set(problems)].join('; ')}.`, details)
}

/** A copy of a value with every default filled in, checked against its schema. */
export function parse(schema: Schema, value: unknown, path: string, parsing: Parsing): unknown {
  if (isPart(schema)) return parsePart(schema, value, path, parsing)
  if (isParts(schema)) return parseParts(schema, value, path, parsing)
  if (isGroups(schema)) return parseGroups(schema, value, path, parsing)
  if (isGroup(schema)) return parseGroup(schema, value, path, parsing)
  parsing.problems.push(...problemsOfValue(schema, value, path))
  return withPath(schema, structuredClone(value), parsing.base)
}

/** Keys of a group. */
export function parseGroup(
  schema: GroupSchema,
  value: unknown,
  path: string,
  parsing: Parsing,
  unknownKey: (key: string, at: string) => string = (key, at) => unknownIn(schema, key, at, path, parsing),
): Record<string, unknown> {
  const { problems } = parsing
  if (value !== undefined && !isPlainObject(value)) {
    problems.push(`${path}: expected a group of keys, got ${JSON.stringify(value)}`)
    return {}
  }
  const given = value ?? {}
  const { properties, required = [] } = schema
  const below = (key: string): string => (path === '' ? key : `${path}.${key}`)
  for (const key of Object.keys(given))
    if (!Object.hasOwn(properties, key)) problems.push(unknownKey(key, below(key)))
  const entries = Object.entries(properties).flatMap(([key, child]): [string, unknown][] => {
    const own = Object.hasOwn(given, key) ? given[key] : undefined
    const chosen = own === undefined ? defaultOf(child) : own
    if (chosen !== undefined) return [[key, parse(child, chosen, below(key), parsing)]]
    if (required.includes(key)) problems.push(`missing key ${below(key)}`)
    return []
  })
  return Object.fromEntries(entries)
}

/** One part of a family. Without a type it is the default's. Undefined when it is none. */
export function parsePart(
  schema: PartSchema,
  value: unknown,
  path: string,
  parsing: Parsing,
): PartConfig | undefined {
  const family = familyNamed(schema.family)
  const { problems } = parsing
  const given = typeof value === 'string' ? { type: value } : value
  if (!isPlainObject(given)) {
    problems.push(
      `${path}: expected one of ${family.names.join(', ')} or a group of keys, got ${JSON.stringify(value)}`,
    )
    return undefined
  }
  const { type = defaultType(schema), ...keys } = given
  if (type === undefined) {
    problems.push(`missing key ${path}.type (one of ${family.names.join(', ')})`)
    return undefined
  }
  if (typeof type !== 'string' || !family.has(type)) {
    problems.push(family.unknown(type, `${path}.type`))
    return undefined
  }
  const own = family.schemaOf(type)
  const parsed = parseGroup(own, keys, path, parsing, (key, at) => {
    const others = family.names.filter((name) => Object.hasOwn(family.schemaOf(name).properties, key))
    if (others.length === 0) return unknownIn(own, key, at, path, parsing)
    return `${at}: a key of ${path}.type ${others.join(', ')}, not of ${type}`
  })
  return { type, ...parsed }
}

function parseParts(schema: PartsSchema, value: unknown, path: string, parsing: Parsing): unknown {
  if (Array.isArray(value))
    return value.map((item, i) => parsePart(schema.items, item, `${path}[${i}]`, parsing))
  const names = familyNamed(schema.items.family).names
  parsing.problems.push(
    `${path}: expected a list of parts (${names.join(', ')}), got ${JSON.stringify(value)}`,
  )
  return []
}

function parseGroups(schema: GroupsSchema, value: unknown, path: string, parsing: Parsing): unknown {
  if (Array.isArray(value))
    return value.map((item, i) => parseGroup(schema.items, item, `${path}[${i}]`, parsing))
  const keys = Object.keys(schema.items.properties)
  parsing.problems.push(
    `${path}: expected a list of groups of keys (${keys.join(', ')}), got ${JSON.stringify(value)}`,
  )
  return []
}

/** The type that stands where none is given. */
export function defaultType({ default: value }: PartSchema): string | undefined {
  if (typeof value === 'string') return value
  const type = isPlainObject(value) ? value['type'] : undefined
  return typeof type === 'string' ? type : undefined
}

/** The schema behind a dotted key of a configuration, whose types say which branches count; undefined where there is none. */
export function schemaAt(schema: Schema, keys: readonly string[], value: unknown): Schema | undefined {
  const [key, ...rest] = keys
  if (key === undefined) return schema
  const inside = isPlainObject(value) ? value : {}
  const group = isGroup(schema) ? schema : isPart(schema) ? branchOf(schema, value) : undefined
  if (isPart(schema) && key === 'type' && rest.length === 0) return { type: 'string' }
  if (group === undefined || !Object.hasOwn(group.properties, key)) return undefined
  return schemaAt(group.properties[key]!, rest, inside[key])
}

/** The keys of the part that a value chooses; undefined where it chooses none. */
export function branchOf(schema: PartSchema, value: unknown): GroupSchema | undefined {
  const family: FamilyFacts = familyNamed(schema.family)
  const type = typeof value === 'string' ? value : isPlainObject(value) ? value['type'] : undefined
  const name = typeof type === 'string' ? type : defaultType(schema)
  return name !== undefined && family.has(name) ? family.schemaOf(name) : undefined
}

function defaultOf(schema: Schema): unknown {
  return isGroup(schema) ? {} : schema.default
}

function withPath({ format }: ValueSchema, value: unknown, base: string | undefined): unknown {
  return format === 'path' && base !== undefined && typeof value === 'string' && value !== ''
    ? resolve(base, value)
    : value
}

function unknownIn(
  schema: GroupSchema,
  key: string,
  at: string,
  path: string,
  { elsewhere }: Parsing,
): string {
  const inGroup = nearest(key, Object.keys(schema.properties))
  const meant = inGroup === undefined ? elsewhere?.(key) : path === '' ? inGroup : `${path}.${inGroup}`
  return `unknown key ${at}${meant === undefined ? '' : ` (did you mean ${meant}?)`}`
}

/** Whether a value is an object with keys, as JSON has them. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
