import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { CheckError } from './check-error.js'
import { coreFolder, packageOf } from './side.js'

/** A build of the library that a project can name. */
export interface Build {
  /** In words: its version, and where it lies. */
  readonly name: string
  /** Folder of its `@sonotext/core`. */
  readonly folder: string
}

/** The version that a project has installed. */
export function installedBuild(project: string): Build {
  try {
    const entry = createRequire(join(resolve(project), 'package.json')).resolve('@sonotext/core')
    return build(dirname(dirname(entry)))
  } catch {
    throw new CheckError(
      `@sonotext/core is not installed in ${resolve(project)}: npm install @sonotext/core.`,
    )
  }
}

/**
 * The build that a text means: a path (the package, a clone of the repository, a project that has it installed), or a version, which is
 * looked for in the project's packages (an alias such as `npm:@sonotext/core@0.1.0` has its own folder there) and else installed beside.
 */
export async function namedBuild(text: string, project: string, say: (line: string) => void): Promise<Build> {
  if (existsSync(text)) return build(coreFolder(text))
  if (!/^\d+\.\d+\.\d+[\w.+-]*$|^[a-z][\w-]*$/.test(text)) {
    throw new CheckError(`There is no ${text}: expected a path, or a version such as 0.1.0.`)
  }
  const found = installed(join(resolve(project), 'node_modules')).find(
    (folder) => packageOf(folder)!.version === text,
  )
  return build(found ?? coreFolder(await fetched(text, project, say)))
}

function build(folder: string): Build {
  return { name: `${packageOf(folder)!.version} in ${folder}`, folder }
}

/** Every folder of node_modules that holds a version of the library, whatever it is called there. */
function installed(modules: string): string[] {
  if (!existsSync(modules)) return []
  return readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) => {
      const folder = join(modules, name)
      if (name.startsWith('@')) return readdirSync(folder).map((inner) => join(folder, inner))
      return [folder]
    })
    .filter((folder) => packageOf(folder)?.name === '@sonotext/core')
}

/** Installs a version into the project's cache, once. */
async function fetched(version: string, project: string, say: (line: string) => void): Promise<string> {
  const folder = join(resolve(project), 'node_modules', '.cache', 'sonotext-bench', version)
  if (existsSync(join(folder, 'node_modules', '@sonotext', 'core'))) return folder
  say(`installing @sonotext/core@${version} into ${folder} …`)
  mkdirSync(folder, { recursive: true })
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const args = [
    'install',
    '--prefix',
    folder,
    '--no-save',
    '--no-audit',
    '--no-fund',
    `@sonotext/core@${version}`,
  ]
  await promisify(execFile)(npm, args, { shell: process.platform === 'win32' }).catch((error: unknown) => {
    const { stderr = '', message } = error as Error & { stderr?: string }
    const why = stderr.match(/^npm (?:error|ERR!) (?!A complete log)(.*)$/m)?.[1] ?? message
    throw new CheckError(`@sonotext/core@${version} could not be installed: ${why}. Give a path instead.`)
  })
  return folder
}
