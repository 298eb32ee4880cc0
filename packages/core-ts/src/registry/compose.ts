import { familyNamed } from './families.js'
import { defaultType } from './parse.js'
import {
  type GroupSchema,
  isGroup,
  isGroups,
  isPart,
  isParts,
  type PartSchema,
  type Schema,
  type ValueSchema,
} from './schema.js'
import { choicesOf } from './value.js'

/** A JSON schema (2020-12) for editors: families as alternatives told apart by `type`. */
export function jsonSchemaOf(root: GroupSchema): Record<string, unknown> {
  const definitions: Record<string, unknown> = {}
  const { properties, required, ...about } = root
  const group = groupOf({ properties, ...(required && { required }) }, definitions)
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...about,
    ...group,
    $defs: definitions,
  }
}

function jsonOf(schema: Schema, definitions: Record<string, unknown>): Record<string, unknown> {
  if (isPart(schema)) {
    const { family, ...about } = schema
    return { ...about, $ref: referenceTo(family, definitions) }
  }
  if (isParts(schema)) return { ...schema, items: jsonOf(schema.items, definitions) }
  if (isGroups(schema)) return { ...schema, items: groupOf(schema.items, definitions) }
  if (isGroup(schema)) return { default: {}, ...groupOf(schema, definitions) }
  return { ...schema }
}

function groupOf({ properties, ...rest }: GroupSchema, definitions: Record<string, unknown>) {
  const inside = Object.entries(properties).map(([key, child]) => [key, jsonOf(child, definitions)])
  return { type: 'object', additionalProperties: false, ...rest, properties: Object.fromEntries(inside) }
}

function referenceTo(family: string, definitions: Record<string, unknown>): string {
  const reference = `#/$defs/${family}`
  if (family in definitions) return reference
  definitions[family] = {} // Parts may hold parts of their own family.
  const { names, describe, schemaOf } = bound(family)
  const alternatives = names.map((name) => {
    const { properties, required = [], ...rest } = schemaOf(name)
    const group = groupOf({ ...rest, properties }, definitions)
    return {
      title: name,
      description: describe(name),
      ...group,
      required: ['type', ...required],
      properties: { type: { const: name }, ...group.properties },
    }
  })
  const byName = names.filter((name) => (schemaOf(name).required ?? []).length === 0)
  definitions[family] = { oneOf: [{ enum: byName }, ...alternatives] }
  return reference
}

function bound(name: string) {
  const family = familyNamed(name)
  return {
    names: family.names,
    describe: (part: string) => family.describe(part),
    schemaOf: (part: string) => family.schemaOf(part),
  }
}

/** A leaf of a configuration. */
export interface ConfigKey {
  /** Dotted, such as training.epochs, or loss.type for the choice of a part; `[]` stands for the items of a list. */
  readonly key: string
  /** The choices it belongs to, innermost last, as `loss.type=triplet`; empty for a key that is always there. */
  readonly when: readonly string[]
  /** Undefined for a key without a default. */
  readonly default: unknown
  readonly required: boolean
  readonly description: string
}

/** Every key in the order of the schema, those of every part of every family among them. */
export function keysOf(root: GroupSchema): ConfigKey[] {
  return keysIn(root, '', [], [])
}

function keysIn(
  group: GroupSchema,
  prefix: string,
  when: readonly string[],
  inside: readonly string[],
): ConfigKey[] {
  return Object.entries(group.properties).flatMap(([name, child]) => {
    const key = prefix === '' ? name : `${prefix}.${name}`
    if (isGroup(child)) return keysIn(child, key, when, inside)
    if (isPart(child)) return partKeys(child, key, when, inside)
    const required = group.required?.includes(name) ?? false
    if (isParts(child)) {
      const own = { key, when, default: child.default, required, description: child.description ?? '' }
      return [own, ...partKeys(child.items, `${key}[]`, when, inside)]
    }
    if (isGroups(child)) {
      const own = { key, when, default: child.default, required, description: child.description ?? '' }
      return [own, ...keysIn(child.items, `${key}[]`, when, inside)]
    }
    return [{ key, when, default: child.default, required, description: wordsOf(child) }]
  })
}

/** The choice of a part and the keys of each. */
function partKeys(
  node: PartSchema,
  key: string,
  when: readonly string[],
  inside: readonly string[],
): ConfigKey[] {
  const family = familyNamed(node.family)
  if (inside.includes(family.name)) return []
  const usual = defaultType(node)
  const own = {
    key: `${key}.type`,
    when,
    default: usual,
    required: usual === undefined,
    description: `${family.names.join(' | ')}.${node.description === undefined ? '' : ` ${node.description}`}`,
  }
  const below = family.names.flatMap((name) =>
    keysIn(family.schemaOf(name), key, [...when, `${key}.type=${name}`], [...inside, family.name]),
  )
  return [own, ...below]
}

function wordsOf(schema: ValueSchema): string {
  const choices = choicesOf(schema)
  return `${choices === '' ? '' : `${choices}. `}${schema.description ?? ''}`
}
