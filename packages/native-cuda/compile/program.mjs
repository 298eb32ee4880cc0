import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Full path of a program in PATH, or undefined. */
export function findProgram(name, env = process.env) {
  const suffixes = process.platform === 'win32' ? ['.exe', '.cmd', ''] : ['']
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    for (const suffix of suffixes) {
      const path = join(folder, name + suffix)
      if (folder !== '' && existsSync(path)) return path
    }
  }
  return undefined
}
