import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import { SonotextError } from '../base/errors.js'
import { nearest } from '../base/nearest.js'
import type { ExperimentConfig } from './config.types.js'
import schema from './config.schema.json' with { type: 'json' }

export type { ExperimentConfig } from './config.types.js'

/** JSON schema (2020-12) of {@link ExperimentConfig}. */
export const experimentSchema: Readonly<Record<string, unknown>> = schema

const ajv = new Ajv2020({ allErrors: true, strict: true, useDefaults: true, verbose: true })
const validate = ajv.compile<ExperimentConfig>(schema)

/**
 * Checks a configuration and fills every default. Unknown keys are refused with the nearest known one.
 * @param source what the messages call it, usually the file name
 * @throws SonotextError INVALID_CONFIG listing every problem
 */
export function parseConfig(value: unknown, source = 'configuration'): ExperimentConfig {
  const copy: unknown = structuredClone(value)
  if (validate(copy)) return copy
  const problems = (validate.errors ?? []).map(problemOf)
  throw new SonotextError('INVALID_CONFIG', `${[...new Set(problems)].join('; ')}.`, {
    file: source,
    remedy: 'Every key with its default: sonotext config.',
  })
}

/**
 * Sets `a.b.c` in a plain configuration object. The value is read as JSON where it is JSON (numbers, true, null, lists),
 * else as text.
 * @throws SonotextError INVALID_CONFIG when the assignment has no `=` or a part of the path is not an object
 */
export function setKey(config: Record<string, unknown>, assignment: string): void {
  const split = assignment.indexOf('=')
  const path = assignment.slice(0, Math.max(0, split)).split('.')
  if (split < 1 || path.some((key) => key === '' || key === '__proto__')) {
    throw new SonotextError('INVALID_CONFIG', `Expected key=value for --set, got "${assignment}".`)
  }
  let target = config
  for (const key of path.slice(0, -1)) {
    const next = (target[key] ??= {})
    if (typeof next !== 'object' || next === null || Array.isArray(next)) {
      throw new SonotextError('INVALID_CONFIG', `--set ${assignment}: ${key} is not a group of keys.`)
    }
    target = next as Record<string, unknown>
  }
  target[path.at(-1)!] = jsonOrText(assignment.slice(split + 1))
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function problemOf(error: ErrorObject): string {
  const where = error.instancePath === '' ? '' : error.instancePath.slice(1).replaceAll('/', '.')
  const prefix = where === '' ? '' : `${where}: `
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(error.params.additionalProperty)
      const known = Object.keys((error.parentSchema as { properties: object }).properties)
      const suggestion = nearest(key, known)
      return `unknown key ${where === '' ? '' : `${where}.`}${key}${suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`}`
    }
    case 'enum':
      return `${prefix}expected one of ${(error.params.allowedValues as unknown[]).join(', ')}, got ${JSON.stringify(error.data)}`
    case 'required':
      return `${prefix}missing key ${String(error.params.missingProperty)}`
    default:
      return `${prefix}${error.message}, got ${JSON.stringify(error.data)}`
  }
}

/** `key  default  description` of every leaf, in schema order. */
export function configKeys(): { key: string; default: unknown; description: string }[] {
  return leaves(schema, '')
}

interface SchemaNode {
  type?: string
  properties?: Record<string, SchemaNode>
  default?: unknown
  enum?: unknown[]
  description?: string
}

function leaves(node: SchemaNode, prefix: string): { key: string; default: unknown; description: string }[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const key = prefix === '' ? name : `${prefix}.${name}`
    if (child.properties) return leaves(child, key)
    const choices = child.enum ? `${child.enum.join(' | ')}.` : ''
    return [{ key, default: child.default, description: [choices, child.description ?? ''].join(' ').trim() }]
  })
}
