import { readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join, relative, resolve } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { makeFolder, SonotextError } from '@sonotext/core/base'
import type { CommandBody } from '../command.js'
import { exitCode, UsageError } from '../exit.js'
import { pathArgument, shellLine } from '../shell-line.js'

interface InitOptions {
  template: string
}

const ownFolder = fileURLToPath(new URL('../..', import.meta.url))
const templates = join(ownFolder, 'templates')

interface Template {
  /** What `npm start` runs. */
  readonly start: string
  /** Folders of packages that it needs. */
  readonly packages: readonly string[]
  /** The programs are examples of the repository: what those are called there, and here. */
  readonly names?: Readonly<Record<string, string>>
}

const usual = ['core-ts', 'native-cuda', 'scenes']

const known: Readonly<Record<string, Template>> = {
  train: { start: 'node main.mjs', packages: usual },
  search: {
    start: 'node train.mjs && node main.mjs',
    packages: usual,
    names: { 'quickstart.mjs': 'train.mjs', 'http-search.mjs': 'main.mjs' },
  },
  bench: {
    // With itself: what this machine cannot tell apart. Another version or path takes its place.
    start: 'sonotext bench check --against node_modules/@sonotext/core --budget 30',
    packages: [...usual, 'bench', 'cli'],
    names: { 'examples/speed-check/sonotext.bench.mjs': 'sonotext.bench.mjs' },
  },
}

/** Names of the templates. */
export const templateNames = Object.keys(known)

/** Writes a project that runs at once: programs, package.json with what they need, and what to do next. */
const init: CommandBody<InitOptions, [string | undefined]> = async ({ terminal }, { template }, target) => {
  const chosen = known[template]
  if (chosen === undefined) {
    throw new UsageError(`There is no template "${template}"; there are ${templateNames.join(', ')}.`)
  }
  const folder = resolve(target ?? '.')
  await makeFolder(folder)
  const files = await readdir(join(templates, template))
  const present = (await readdir(folder)).filter((name) => [...files, 'package.json'].includes(name))
  if (present.length > 0) {
    throw new SonotextError('IN_USE', `${folder} has ${present.join(', ')} already.`, {
      remedy: 'Name another folder: nothing is overwritten.',
    })
  }
  for (const file of files) {
    let text = await readFile(join(templates, template, file), 'utf8')
    for (const [there, here] of Object.entries(chosen.names ?? {})) text = text.replaceAll(there, here)
    await writeFile(join(folder, file), text, { flag: 'wx' })
  }
  const { name, version } = await ownPackage()
  const manifest = {
    name: nameOf(folder),
    private: true,
    type: 'module',
    scripts: { start: chosen.start },
    dependencies: await dependencies(chosen.packages, version),
  }
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  const change = relative(process.cwd(), folder)
  const next = `${change === '' ? '' : `${shellLine('cd', pathArgument(change))} && `}npm install && npm start`
  terminal.result(
    { folder, template, files: [...files, 'package.json'], next, by: `${name} ${version}` },
    () => [`${template}: ${[...files, 'package.json'].join(', ')} in ${folder}`, `next: ${next}`].join('\n'),
  )
  return exitCode.ok
}
export default init

async function ownPackage(): Promise<{ name: string; version: string }> {
  return JSON.parse(await readFile(join(ownFolder, 'package.json'), 'utf8')) as {
    name: string
    version: string
  }
}

/** The packages in the version of this program; from a clone, its folders, since those are what was built here. */
async function dependencies(folders: readonly string[], version: string): Promise<Record<string, string>> {
  const packages = resolve(ownFolder, '..')
  const isClone = (await readdir(resolve(packages, '..'))).includes('nx.json')
  return Object.fromEntries(
    folders.map((folder) => [packageNames[folder]!, isClone ? `file:${join(packages, folder)}` : version]),
  )
}

/** By folder of the repository. */
const packageNames: Readonly<Record<string, string>> = {
  'core-ts': '@sonotext/core',
  'native-cuda': '@sonotext/native-cuda',
  scenes: '@sonotext/scenes',
  bench: '@sonotext/bench',
  cli: 'sonotext',
}

/** What npm takes for a name: small letters, digits and hyphens. */
function nameOf(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return name === '' ? 'sonotext-project' : name
}
