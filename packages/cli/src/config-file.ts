import { dirname, extname, resolve } from 'node:path'
import { isSonotextError, readText, SonotextError } from '@sonotext/core/base'
import { loadPlugins, parseConfig, type RunConfig, setKeys, upgraded } from '@sonotext/core/runs'
import { parseDocument } from 'yaml'

/**
 * Reads a JSON or YAML configuration, loads its plugins, applies `--set` assignments and checks it. Paths in the file are relative to the
 * file, paths in assignments to the working directory. `otherwise` is what holds for groups that the file does not name.
 * @throws SonotextError MISSING_FILE, INVALID_FILE, INVALID_CONFIG
 */
export async function loadConfig(
  file: string | undefined,
  assignments: readonly string[],
  otherwise: Readonly<Record<string, unknown>> = {},
): Promise<RunConfig> {
  const base = file === undefined ? '.' : dirname(file)
  const given = file === undefined ? {} : await readConfigObject(file)
  const config = upgraded({ ...otherwise, ...given }) as Config
  setKeys(config, assignments, resolve('.'))
  const { plugins } = config
  if (Array.isArray(plugins))
    await loadPlugins(
      plugins.filter((plugin) => typeof plugin === 'string'),
      { base },
    )
  return parseConfig(config, { source: file ?? 'configuration', base })
}

/** The configuration of a run with `--set` assignments. */
export function changeConfig(config: RunConfig, assignments: readonly string[]): RunConfig {
  const changed = structuredClone(config) as unknown as Config
  setKeys(changed, assignments, resolve('.'))
  return parseConfig(changed)
}

type Config = Record<string, unknown>

async function readConfigObject(file: string): Promise<Config> {
  const text = await readText(file).catch((cause: unknown) => {
    if (!isSonotextError(cause) || cause.code !== 'MISSING_FILE') throw cause
    throw new SonotextError('MISSING_FILE', 'there is no such configuration.', {
      file,
      remedy: 'Check the path; `sonotext config --yaml` writes a new one.',
      cause,
    })
  })
  // JSON is YAML, but its own parser gives the better message.
  return extname(file).toLowerCase() === '.json' ? fromJson(text, file) : fromYaml(text, file)
}

function fromJson(text: string, file: string): Config {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw notValid('JSON', (cause as Error).message, file, cause)
  }
  return asObject(value, file)
}

function fromYaml(text: string, file: string): Config {
  const document = parseDocument(text)
  const problem = document.errors[0]
  if (problem) {
    const [message] = problem.message.split('\n')
    throw notValid('YAML', message!.replace(/:$/, ''), file, problem)
  }
  return asObject(document.toJS() ?? {}, file)
}

function notValid(kind: string, message: string, file: string, cause: unknown): SonotextError {
  const remedy = 'Correct it; `sonotext config --yaml` shows what a whole one looks like.'
  return new SonotextError('INVALID_CONFIG', `not valid ${kind}: ${message}.`, { file, remedy, cause })
}

function asObject(value: unknown, file: string): Config {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Config
  throw new SonotextError('INVALID_CONFIG', 'expected groups of keys such as data and training.', {
    file,
    remedy: '`sonotext config --yaml` shows what a whole one looks like.',
  })
}
