import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import { SonotextError } from '../base/errors.js'
import { nearest } from '../base/nearest.js'
import { negatives } from '../negatives/index.js'
import shipped from './config.schema.json' with { type: 'json' }
import type { ExperimentConfig } from './config.types.js'

export type { ExperimentConfig } from './config.types.js'

/** The shipped schema with the strategies of the registry as choices, so that a new one needs no word here. */
const schema = structuredClone(shipped) as typeof shipped & SchemaNode & Record<string, unknown>
Object.assign(schema.properties.loss.properties.negatives, { enum: Object.keys(negatives) })

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
  const problems = validate(copy) ? contradictions(copy) : (validate.errors ?? []).map(problemOf)
  if (problems.length === 0) return copy as ExperimentConfig
  throw new SonotextError('INVALID_CONFIG', `${[...new Set(problems)].join('; ')}.`, {
    file: source,
    remedy: 'Every key with its default: sonotext config.',
  })
}

/** What a schema cannot say: keys that do not fit each other. */
function contradictions({ training }: ExperimentConfig): string[] {
  const { schedule, warmupEpochs, epochs, learningRate, minLearningRate } = training
  const { monitor, watch, retrieval, earlyStopping, stagnationWindow } = training
  const problems: string[] = []
  if (schedule === 'cosine' && warmupEpochs >= epochs) {
    problems.push(`training.warmupEpochs: must be less than training.epochs (${epochs}), got ${warmupEpochs}`)
  }
  if (schedule !== 'constant' && minLearningRate > learningRate) {
    problems.push(
      `training.minLearningRate: must not be above training.learningRate (${learningRate}), got ${minLearningRate}`,
    )
  }
  for (const [key, value] of Object.entries({ monitor, watch })) {
    if (value === 'mAP@10' && !retrieval)
      problems.push(`training.${key}: mAP@10 is not computed with training.retrieval false`)
  }
  if (earlyStopping > 0 && stagnationWindow > 0)
    problems.push('training.stagnationWindow: must be 0 beside training.earlyStopping, one of them stops')
  return problems
}

/**
 * Sets `a.b.c` in a plain configuration object. The value is read as JSON (numbers, true, null) unless it is
 * none or the key takes text.
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
  const text = assignment.slice(split + 1)
  target[path.at(-1)!] = takesText(path) ? text : jsonOrText(text)
}

function takesText(path: readonly string[]): boolean {
  return (
    path.reduce<SchemaNode | undefined>((node, key) => node?.properties?.[key], schema)?.type === 'string'
  )
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function problemOf(error: ErrorObject): string {
  const where = error.instancePath.slice(1).replaceAll('/', '.')
  const prefix = where === '' ? '' : `${where}: `
  const pathOf = (key: unknown): string => (where === '' ? String(key) : `${where}.${String(key)}`)
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(error.params.additionalProperty)
      const known = Object.keys((error.parentSchema as Required<SchemaNode>).properties)
      const inGroup = nearest(key, known)
      const suggestion = inGroup === undefined ? elsewhere(key) : pathOf(inGroup)
      return `unknown key ${pathOf(key)}${suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`}`
    }
    case 'enum':
      return `${prefix}expected one of ${(error.params.allowedValues as unknown[]).join(', ')}, got ${JSON.stringify(error.data)}`
    case 'required':
      return `missing key ${pathOf(error.params.missingProperty)}`
    default:
      return `${prefix}${error.message}, got ${JSON.stringify(error.data)}`
  }
}

/** The key of another group that a misplaced one is meant to be. */
function elsewhere(name: string): string | undefined {
  const keys = configKeys().map(({ key }) => key)
  const last = (key: string): string => key.slice(key.lastIndexOf('.') + 1)
  const meant = nearest(name, keys.map(last))
  return keys.find((key) => last(key) === meant)
}

/** What a configuration says for a key such as `training.epochs`. */
export function valueAt(config: ExperimentConfig, key: string): unknown {
  return key.split('.').reduce<unknown>((node, part) => (node as Record<string, unknown>)[part], config)
}

/** A leaf of the configuration. */
export interface ConfigKey {
  /** Dotted, such as training.epochs. */
  readonly key: string
  /** Undefined for a key without a default. */
  readonly default: unknown
  readonly required: boolean
  readonly description: string
}

/** Every key in schema order. */
export function configKeys(): ConfigKey[] {
  return leaves(schema, '')
}

interface SchemaNode {
  type?: string
  properties?: Record<string, SchemaNode>
  required?: string[]
  default?: unknown
  enum?: unknown[]
  description?: string
}

function leaves(node: SchemaNode, prefix: string): ConfigKey[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const key = prefix === '' ? name : `${prefix}.${name}`
    if (child.properties) return leaves(child, key)
    const choices = child.enum !== undefined && child.enum.length > 1 ? `${child.enum.join(' | ')}. ` : ''
    const required = node.required?.includes(name) ?? false
    return [{ key, default: child.default, required, description: `${choices}${child.description ?? ''}` }]
  })
}
