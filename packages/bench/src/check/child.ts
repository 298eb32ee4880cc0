import { fileURLToPath } from 'node:url'

/** The compiled program of one of this folder's processes. */
export function programOf(name: 'timing-process' | 'memory-process'): string {
  return fileURLToPath(new URL(`../../dist/check/${name}.js`, import.meta.url))
}

/** The environment without the variable that would give both builds one addon. */
export function ownAddons(): NodeJS.ProcessEnv {
  const env = { ...process.env }
  delete env['SONOTEXT_ADDON']
  return env
}
