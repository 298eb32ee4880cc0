import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { SonotextError } from '../base/errors.js'
import { readBytes, writeFileAtomic } from '../base/files.js'
import { readText } from '../base/text.js'
import { loadedPluginFiles } from '../registry/index.js'
import { runFiles } from './run-files.js'

/** A plugin as `plugins.json` keeps it. */
interface KeptPlugin {
  readonly name: string
  /** SHA-256 of its file; what the file imports is not looked at. */
  readonly content: string
}

/** Writes which plugins were loaded when a run was started. */
export async function keepPlugins(folder: string): Promise<void> {
  const plugins = await loadedPlugins()
  if (plugins.length === 0 && !existsSync(join(folder, runFiles.plugins))) return
  await writeFileAtomic(join(folder, runFiles.plugins), `${JSON.stringify(plugins, null, 2)}\n`)
}

/**
 * Refuses to go on when a plugin of the run is not the one it was started with: what is computed would change in the middle. Where it
 * lies does not matter, and further ones may be loaded. A run of which nothing was kept is taken as it is.
 * @throws SonotextError INVALID_CONFIG naming the plugin
 */
export async function refuseOtherPlugins(folder: string): Promise<void> {
  const file = join(folder, runFiles.plugins)
  if (!existsSync(file)) return
  const now = new Set((await loadedPlugins()).map(({ content }) => content))
  const other = parsePlugins(await readText(file), file).filter(({ content }) => !now.has(content))
  if (other.length === 0) return
  throw new SonotextError(
    'INVALID_CONFIG',
    `the run was started with another ${other.map(({ name }) => name).join(', another ')}.`,
    {
      file,
      remedy:
        'Go on with the plugin as it was, or start a new run in another folder. If the change does not matter, remove this file.',
    },
  )
}

/**
 * The error about the configuration of a run, with the plugins named that the run was started with and that are not loaded: where they came
 * from `--plugin`, the configuration does not know them, and what it does not know may be their part.
 */
export async function namingPlugins(error: SonotextError, folder: string): Promise<SonotextError> {
  const file = join(folder, runFiles.plugins)
  if (error.code !== 'INVALID_CONFIG' || !existsSync(file)) return error
  const { message, remedy } = error
  const now = new Set((await loadedPlugins()).map(({ content }) => content))
  const lacking = parsePlugins(await readText(file), file)
    .filter(({ name, content }) => !now.has(content) && !message.includes(name))
    .map(({ name }) => name)
  if (lacking.length === 0) return error
  const bare = remedy === undefined ? message : message.slice(0, -remedy.length - 1)
  const options = lacking.map((name) => `--plugin ${name}`).join(' ')
  return new SonotextError('INVALID_CONFIG', bare, {
    remedy: `The run was started with ${options}: give that, with the path of each file, or call loadPlugins().${remedy === undefined ? '' : ` ${remedy}`}`,
    cause: error,
  })
}

async function loadedPlugins(): Promise<KeptPlugin[]> {
  return Promise.all(
    loadedPluginFiles().map(async (path) => ({
      name: basename(path),
      content: createHash('sha256')
        .update(await readBytes(path))
        .digest('hex'),
    })),
  )
}

function parsePlugins(text: string, file: string): KeptPlugin[] {
  try {
    const list: unknown = JSON.parse(text)
    if (
      Array.isArray(list) &&
      list.every((item: Partial<KeptPlugin> | null) => typeof item?.content === 'string')
    )
      return list as KeptPlugin[]
  } catch {
    // Said below.
  }
  throw new SonotextError('INVALID_FILE', 'the list of the plugins of the run is damaged.', {
    file,
    remedy: 'Remove it to go on without comparing plugins.',
  })
}
