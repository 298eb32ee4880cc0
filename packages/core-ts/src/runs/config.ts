import { audioEncoders, starts, textEncoders } from '../models/index.js'
import { featureKinds } from '../corpus/index.js'
import { losses } from '../losses/index.js'
import { measures } from '../metrics/index.js'
import { guards } from '../negatives/index.js'
import { SonotextError } from '../base/errors.js'
import { nearest } from '../base/nearest.js'
import {
  type ConfigKey,
  isPlainObject,
  isPluginLoaded,
  jsonSchemaOf,
  keysOf,
  parseGroup,
  type PartConfig,
  refuse,
  resolvePlugin,
  schemaAt,
  type ValueSchema,
} from '../registry/index.js'
import { similarities } from '../similarity/index.js'
import { optimizers, schedules, sources, stoppers } from '../train/index.js'
import { resolve as resolvePath } from 'node:path'
import { configSchema, type RunConfig } from './config-schema.js'
import { movedKeys, upgraded } from './config-0.1.js'

export type { RunConfig } from './config-schema.js'

/** The families that configurations choose from: naming them here loads them. */
export const families = {
  features: featureKinds,
  audioEncoders,
  textEncoders,
  similarities,
  starts,
  losses,
  guards,
  sources,
  optimizers,
  schedules,
  stoppers,
} as const

/** Options of {@link parseConfig}. */
export interface ParseConfigOptions {
  /** What the messages call it, usually the file name. Default configuration. */
  source?: string
  /** Folder that relative paths start from. Default: they stay as they are. */
  base?: string
}

/**
 * Checks a configuration and fills every default. Keys that there are not, or not for the chosen part, are refused with the nearest one.
 * One of version 0.1 is taken for what it meant. Plugins that it names must be loaded: see `loadPlugins`.
 * @throws SonotextError INVALID_CONFIG listing every problem
 */
export function parseConfig(
  value: unknown,
  { source = 'configuration', base }: ParseConfigOptions = {},
): RunConfig {
  const problems: string[] = []
  const given = upgraded(withoutSchema(value))
  const config = parseGroup(configSchema, given, '', { problems, elsewhere, base }) as unknown as RunConfig
  if (problems.length === 0) problems.push(...contradictions(config))
  const plugins = isPlainObject(given) ? given['plugins'] : undefined
  const unloaded = (Array.isArray(plugins) ? plugins : []).filter(
    (plugin) => typeof plugin === 'string' && !isPluginLoaded(plugin, base),
  )
  refuse(problems, {
    file: source,
    remedy: `Every key with its default: sonotext config.${unloaded.length > 0 ? ` Parts of the plugins ${unloaded.join(', ')} are known once those are loaded: --plugin, or loadPlugins().` : ''}`,
  })
  if (base === undefined) return config
  return { ...config, plugins: config.plugins.map((plugin) => resolvePlugin(plugin, base)) }
}

/** Editors are told the schema by a key of the file. */
function withoutSchema(value: unknown): unknown {
  if (!isPlainObject(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== '$schema'))
}

/** What a schema cannot say: keys that do not fit each other. */
function contradictions(config: RunConfig): string[] {
  const { model, schedule, optimizer, training, validation } = config
  const problems: string[] = []
  const { warmup, end, minLr } = schedule as Partial<Record<string, number>>
  const { lr } = optimizer as Partial<Record<string, number>>
  if (training.epochs === 0 && model.start.type === 'drawn')
    problems.push('training.epochs: must be 1 or more where weights begin as drawn (model.start), got 0')
  if (schedule.type === 'cosine' && warmup! >= training.epochs)
    problems.push(`schedule.warmup: must be less than training.epochs (${training.epochs}), got ${warmup}`)
  for (const [key, lowest] of Object.entries({ end, minLr }))
    if (lowest !== undefined && lr !== undefined && lowest > lr)
      problems.push(`schedule.${key}: must not be above optimizer.lr (${lr}), got ${lowest}`)
  for (const name of validation.measures) {
    try {
      measures(name)
    } catch (cause) {
      problems.push(`validation.measures: ${(cause as Error).message.replace(/\.$/, '')}`)
    }
  }
  const names = objectiveNames(config)
  for (const name of new Set(names))
    if (names.filter((other) => other === name).length > 1)
      problems.push(`objectives: expected a name of its own for each, got "${name}" twice (give one a name)`)
  if (problems.length > 0) return problems
  const numbers = validationNumbers(config)
  for (const key of ['monitor', 'watch'] as const) {
    const name = validation[key]
    if (name === undefined || numbers.includes(name)) continue
    problems.push(
      `validation.${key}: expected one of ${numbers.join(', ')}, got "${name}" (${remedyFor(name, numbers)})`,
    )
  }
  return problems
}

/** The names of everything that is trained for, the main loss first. */
function objectiveNames({ loss, objectives }: RunConfig): string[] {
  return [{ loss }, ...objectives].map((objective: { loss: PartConfig; name?: string }) => {
    return objective.name ?? losses.build(objective.loss).name
  })
}

/** What to do about a monitor that validation does not give. */
function remedyFor(monitor: string, numbers: readonly string[]): string {
  const name = monitor.slice(monitor.indexOf('.') + 1)
  try {
    measures(name)
    return `name ${name} in validation.measures`
  } catch {
    const meant = nearest(monitor, numbers)
    return meant === undefined ? 'measures are named in validation.measures' : `did you mean ${meant}?`
  }
}

/** The numbers that validation will give, by name. */
export function validationNumbers({ validation }: RunConfig): string[] {
  const yardsticks = validation.yardsticks.map((yardstick) => losses.build(yardstick).name)
  const both = validation.measures.flatMap((name) => [name, `textToAudio.${name}`, `audioToText.${name}`])
  return ['loss', ...yardsticks, ...both]
}

/**
 * Sets `a.b.c=value` in a plain configuration object, in the order that makes sense: types before the keys of what they choose. Another type
 * takes the place of the whole part. Values are read as JSON (numbers, true, null) unless they are none or the key takes text.
 * @param base folder that relative paths start from
 * @throws SonotextError INVALID_CONFIG when an assignment has no `=` or a part of the path is not an object
 */
export function setKeys(
  config: Record<string, unknown>,
  assignments: readonly string[],
  base?: string,
): void {
  const all = assignments.map((assignment) => ({ ...split(assignment), assignment }))
  const choices = all
    .filter(({ path }) => path.at(-1) === 'type')
    .toSorted((a, b) => a.path.length - b.path.length)
  for (const { path, text, assignment } of choices) setType(config, path, text, assignment)
  for (const { path, text, assignment } of all) {
    if (path.at(-1) === 'type') continue
    const group = groupAt(config, path.slice(0, -1), assignment)
    const leaf = schemaAt(configSchema, path, config) as ValueSchema | undefined
    const value = leaf?.type === 'string' ? text : jsonOrText(text, path.join('.'))
    group[path.at(-1)!] = base === undefined ? value : fromBase(value, path, leaf, base)
  }
}

/** A path that was assigned, made absolute. */
function fromBase(
  value: unknown,
  path: readonly string[],
  schema: ValueSchema | undefined,
  base: string,
): unknown {
  if (path.length === 1 && path[0] === 'plugins' && Array.isArray(value))
    return value.map((plugin: unknown) => (typeof plugin === 'string' ? resolvePlugin(plugin, base) : plugin))
  const isPath = schema?.format === 'path' && typeof value === 'string' && value !== ''
  return isPath ? resolvePath(base, value) : value
}

function split(assignment: string): { path: string[]; text: string } {
  const at = assignment.indexOf('=')
  const path = assignment.slice(0, Math.max(0, at)).split('.')
  if (at < 1 || path.some((key) => key === '' || key === '__proto__'))
    throw new SonotextError('INVALID_CONFIG', `Expected key=value for --set, got "${assignment}".`)
  return { path, text: assignment.slice(at + 1) }
}

function setType(
  config: Record<string, unknown>,
  path: readonly string[],
  type: string,
  assignment: string,
): void {
  const [name] = path.slice(-2)
  if (path.length < 2) throw new SonotextError('INVALID_CONFIG', `--set ${assignment}: there is no key type.`)
  const parent = groupAt(config, path.slice(0, -2), assignment)
  const before = parent[name!]
  const same = before === type || (isPlainObject(before) && before['type'] === type)
  if (!same) parent[name!] = { type }
}

/** The group at a path, made where there is none; a part that is given by its name becomes a group. */
function groupAt(
  config: Record<string, unknown>,
  path: readonly string[],
  assignment: string,
): Record<string, unknown> {
  let target = config
  const walked: string[] = []
  for (const key of path) {
    walked.push(key)
    let next = Object.hasOwn(target, key) ? target[key] : undefined
    const schema = schemaAt(configSchema, walked, config)
    if (typeof next === 'string' && schema !== undefined && 'family' in schema) next = { type: next }
    next ??= {}
    if (!isPlainObject(next))
      throw new SonotextError('INVALID_CONFIG', `--set ${assignment}: ${key} is not a group of keys.`)
    target = target[key] = next as Record<string, unknown>
  }
  return target
}

/** Lists and groups are JSON; a bare word is a text. */
function jsonOrText(text: string, key: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    if (!/^\s*[[{]/.test(text)) return text
    const [, items] = /^\s*\[([^[\]{}"]*)\]\s*$/.exec(text) ?? []
    const quoted = JSON.stringify(items?.split(',').map((item) => item.trim()) ?? ['mAP@10'])
    const example = items === undefined ? `validation.measures=${quoted}` : `${key}=${quoted}`
    throw new SonotextError('INVALID_CONFIG', `${key}: expected JSON, got ${text}.`, {
      remedy: `In JSON texts and keys stand in quotes, and the whole in those of the shell: --set '${example}'.`,
      cause,
    })
  }
}

/** Where a misplaced key belongs: where 0.1 keys went, or a key of that name in another group. */
function elsewhere(name: string): string | undefined {
  const keys = [...new Set(configKeys().map(({ key }) => key))]
  const last = (key: string): string => key.slice(key.lastIndexOf('.') + 1)
  const moved = movedKeys.get(name)
  if (moved !== undefined) return moved
  const meant = nearest(name, keys.map(last))
  const depth = (key: string): number => key.split('.').length
  return keys.filter((key) => last(key) === meant).toSorted((a, b) => depth(a) - depth(b))[0]
}

/** What a configuration says for a key such as `training.epochs`. */
export function valueAt(config: RunConfig, key: string): unknown {
  return key
    .split('.')
    .reduce<unknown>((node, part) => (isPlainObject(node) ? node[part] : undefined), config)
}

/** Keys whose values differ, with both. */
export function changedKeys(before: RunConfig, now: RunConfig): { key: string; was: unknown; is: unknown }[] {
  const [old, current] = [leavesOf(before), leavesOf(now)]
  const keys = [...new Set([...old.keys(), ...current.keys()])]
  return keys
    .map((key) => ({ key, was: old.get(key), is: current.get(key) }))
    .filter(({ was, is }) => JSON.stringify(was) !== JSON.stringify(is))
}

/** Every value of a configuration that is no group, by dotted key. */
export function keyValues(config: RunConfig): ReadonlyMap<string, unknown> {
  return leavesOf(config)
}

/** Values that are no groups, by dotted key. */
function leavesOf(value: unknown, path = ''): Map<string, unknown> {
  if (!isPlainObject(value)) return new Map([[path, value]])
  const below = (key: string): string => (path === '' ? key : `${path}.${key}`)
  return new Map(Object.entries(value).flatMap(([key, child]) => [...leavesOf(child, below(key))]))
}

/** Every key in schema order, those of every part among them. */
export function configKeys(): ConfigKey[] {
  return keysOf(configSchema)
}

/** What `$schema` of a configuration may say; a run's own one does. */
export const configSchemaId = 'https://sonotext.dev/schemas/run.schema.json'

/** JSON schema (2020-12) of configurations with the parts that there are now, for editors. */
export function configJsonSchema(): Record<string, unknown> {
  const { properties, ...rest } = jsonSchemaOf(configSchema)
  return {
    $id: configSchemaId,
    ...rest,
    properties: { $schema: { type: 'string' }, ...(properties as object) },
  }
}
