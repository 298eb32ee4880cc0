import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { SonotextError } from '../base/errors.js'
import { familyNamed } from './families.js'
import { whileLoading } from './plugin-being-loaded.js'

/** What a plugin is given: `register('loss', { name, description, schema, fromConfig })`. */
export interface PluginHost {
  register(family: string, part: unknown): void
}

/** By URL. */
const loaded = new Map<string, Promise<void>>()
let last: Promise<void> = Promise.resolve()

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
    let work = loaded.get(url)
    if (work === undefined) {
      work = last.then(() => load(plugin, url))
      loaded.set(url, work)
      last = work.catch(() => void loaded.delete(url))
    }
    await work
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

async function load(plugin: string, url: string): Promise<void> {
  const host: PluginHost = { register: (family, part) => familyNamed(family).register(part) }
  await whileLoading(pluginName(plugin), async () => {
    try {
      const module = (await import(url)) as { default?: unknown }
      if (typeof module.default === 'function') await (module.default as (host: PluginHost) => unknown)(host)
    } catch (cause) {
      const said = cause instanceof Error ? cause.message : String(cause)
      throw new SonotextError('INVALID_FILE', `the plugin cannot be loaded: ${said}`, {
        file: isPath(plugin) ? fileURLToPath(url) : plugin,
        cause,
      })
    }
  })
}
