import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { SonotextError } from '../base/errors.js'
import { familyNamed } from './families.js'
import { type LoadingPlugin, pluginBeingLoaded, whileLoading } from './plugin-being-loaded.js'

/** What a plugin is given: `register('loss', { name, description, schema, fromConfig })`. */
export interface PluginHost {
  register(family: string, part: unknown): void
}

/** By URL. */
const loaded = new Map<string, Promise<void>>()

/**
 * Loads files that add parts to families: a function they export by default is called with {@link PluginHost}, or they call the `register`
 * of a family as they are loaded. One that is loaded already is passed over. It is code and can do whatever this process can.
 * @param plugins paths relative to `base`, or names of packages installed there
 * @throws SonotextError MISSING_FILE, INVALID_FILE naming the plugin
 */
export async function loadPlugins(
  plugins: readonly string[],
  { base = '.' }: { base?: string } = {},
): Promise<void> {
  for (const plugin of plugins) {
    const url = locate(plugin, base)
    // A plugin that asks for itself has it once it is loaded.
    if (within(pluginBeingLoaded(), url)) continue
    let work = loaded.get(url)
    if (work === undefined) {
      work = load(plugin, url)
      loaded.set(url, work)
      work.catch(() => void loaded.delete(url))
    }
    await work
  }
}

/** The files of the plugins that are loaded. */
export function loadedPluginFiles(): string[] {
  return [...loaded.keys()].map((url) => fileURLToPath(url))
}

/** Whether a plugin, as a configuration names it, is loaded. */
export function isPluginLoaded(plugin: string, base = '.'): boolean {
  try {
    return loaded.has(locate(plugin, base))
  } catch {
    return false
  }
}

/** How messages and model files call a plugin: without the folders of one machine. */
export function pluginName(plugin: string): string {
  return isPath(plugin) ? basename(plugin) : plugin
}

/** A path made absolute; the name of a package as it is. */
export function resolvePlugin(plugin: string, base: string): string {
  return isPath(plugin) ? resolve(base, plugin.startsWith('file:') ? fileURLToPath(plugin) : plugin) : plugin
}

/** Whether it is a file rather than a package: it begins with a dot, a slash or a drive, or ends like a module. */
function isPath(plugin: string): boolean {
  return /^\.|^\/|^file:|^[A-Za-z]:[\\/]|\.[cm]?[jt]s$/.test(plugin)
}

function locate(plugin: string, base: string): string {
  const path = resolvePlugin(plugin, base)
  if (isPath(plugin)) {
    if (existsSync(path)) return pathToFileURL(path).href
    throw new SonotextError('MISSING_FILE', 'there is no such plugin.', {
      file: path,
      remedy: 'Check the path.',
    })
  }
  try {
    return pathToFileURL(createRequire(join(resolve(base), 'plugins.mjs')).resolve(plugin)).href
  } catch (cause) {
    throw new SonotextError('MISSING_FILE', `the plugin ${plugin} is not installed.`, {
      remedy: `Install it (npm install ${plugin}), or write ./${plugin} for a file.`,
      cause,
    })
  }
}

function within(plugin: LoadingPlugin | undefined, url: string): boolean {
  return plugin !== undefined && (plugin.url === url || within(plugin.outer, url))
}

async function load(plugin: string, url: string): Promise<void> {
  const host: PluginHost = { register: (family, part) => familyNamed(family).register(part) }
  await whileLoading({ name: pluginName(plugin), url }, async () => {
    try {
      const module = (await import(url)) as { default?: unknown }
      if (typeof module.default === 'function') await (module.default as (host: PluginHost) => unknown)(host)
    } catch (cause) {
      const said = cause instanceof Error ? cause.message : String(cause)
      const file = isPath(plugin) ? fileURLToPath(url) : plugin
      throw new SonotextError('INVALID_FILE', `the plugin cannot be loaded: ${said.replace(/\.$/, '')}.`, {
        file,
        remedy: remedyFor(cause, file),
        cause,
      })
    }
  })
}

/** Node looks for packages in the folders above the plugin, wherever the library that loads it lies. */
function remedyFor(cause: unknown, file: string): string {
  const [, missing] = /^Cannot find package '([^']+)'/.exec((cause as Error | null)?.message ?? '') ?? []
  return missing === undefined
    ? 'Correct the plugin; its own error is the cause of this one (SONOTEXT_DEBUG=1 shows where it happened).'
    : `Install ${missing} in the folder of the plugin or one above it: npm install --prefix ${dirname(file)} ${missing}.`
}
