import { readFile } from 'node:fs/promises'
import { dirname, extname, resolve } from 'node:path'
import { SonotextError } from '@sonotext/core/base'
import { type ExperimentConfig, parseConfig, setKey } from '@sonotext/core/experiment'
import { parseDocument } from 'yaml'

/**
 * Reads a JSON or YAML configuration, applies `--set` assignments and checks it. Paths in the file are relative to the
 * file, paths in assignments to the working directory.
 * @throws SonotextError MISSING_FILE, INVALID_CONFIG
 */
export async function loadConfig(
  file: string | undefined,
  assignments: readonly string[],
): Promise<ExperimentConfig> {
  const config = file === undefined ? {} : await readConfigObject(file)
  if (file !== undefined) resolvePaths(config, dirname(file))
  const overrides: Record<string, unknown> = {}
  for (const assignment of assignments) setKey(overrides, assignment)
  resolvePaths(overrides, '.')
  for (const assignment of assignments) setKey(config, assignment)
  mergePaths(config, overrides)
  return parseConfig(config, file ?? 'configuration')
}

const pathKeys = [
  ['data', 'manifest'],
  ['data', 'cache'],
  ['text', 'vectors'],
] as const

type Group = Record<string, unknown> | undefined

function resolvePaths(config: Record<string, unknown>, base: string): void {
  for (const [group, key] of pathKeys) {
    const node = config[group] as Group
    if (typeof node?.[key] === 'string') node[key] = resolve(base, node[key])
  }
}

function mergePaths(config: Record<string, unknown>, overrides: Record<string, unknown>): void {
  for (const [group, key] of pathKeys) {
    const value = (overrides[group] as Group)?.[key]
    if (typeof value === 'string') (config[group] as Record<string, unknown>)[key] = value
  }
}

async function readConfigObject(file: string): Promise<Record<string, unknown>> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new SonotextError('MISSING_FILE', 'cannot read the configuration.', {
      file,
      remedy: 'Check the path; `sonotext config` prints every key for a new one.',
      cause,
    })
  }
  // JSON is YAML, but its own parser gives the better message.
  if (extname(file).toLowerCase() === '.json') {
    try {
      return asObject(JSON.parse(text), file)
    } catch (cause) {
      if (cause instanceof SonotextError) throw cause
      throw new SonotextError('INVALID_CONFIG', `not valid JSON: ${(cause as Error).message}.`, {
        file,
        cause,
      })
    }
  }
  const document = parseDocument(text)
  const problem = document.errors[0]
  if (problem)
    throw new SonotextError('INVALID_CONFIG', `not valid YAML: ${problem.message}`, { file, cause: problem })
  return asObject(document.toJS(), file)
}

function asObject(value: unknown, file: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SonotextError(
      'INVALID_CONFIG',
      'expected an object with groups of keys such as data and training.',
      { file },
    )
  }
  return value as Record<string, unknown>
}
