import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join, relative, resolve } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { SonotextError } from '@sonotext/core/base'
import type { CommandBody } from '../command.js'
import { exitCode, UsageError } from '../exit.js'

interface InitOptions {
  template: string
}

const ownFolder = fileURLToPath(new URL('../..', import.meta.url))
const templates = join(ownFolder, 'templates')

/** Programs of a template that `npm start` runs one after the other. */
const programs: Record<string, readonly string[]> = {
  train: ['main.mjs'],
  search: ['train.mjs', 'main.mjs'],
}

/** Names of the templates. */
export const templateNames = Object.keys(programs)

/** Writes a project that runs at once: programs, package.json with what they need, and what to do next. */
const init: CommandBody<InitOptions, [string | undefined]> = async ({ terminal }, { template }, target) => {
  const steps = programs[template]
  if (steps === undefined) {
    throw new UsageError(`There is no template "${template}"; there are ${templateNames.join(', ')}.`)
  }
  const folder = resolve(target ?? '.')
  await mkdir(folder, { recursive: true })
  const files = await readdir(join(templates, template))
  const present = (await readdir(folder)).filter((name) => [...files, 'package.json'].includes(name))
  if (present.length > 0) {
    throw new SonotextError('IN_USE', `${folder} has ${present.join(', ')} already.`, {
      remedy: 'Name another folder: nothing is overwritten.',
    })
  }
  await cp(join(templates, template), folder, { recursive: true, errorOnExist: true, force: false })
  const { name, version } = await ownPackage()
  const manifest = {
    name: nameOf(folder),
    private: true,
    type: 'module',
    scripts: { start: steps.map((file) => `node ${file}`).join(' && ') },
    dependencies: await dependencies(version),
  }
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  const change = relative(process.cwd(), folder)
  const next = `${change === '' ? '' : `cd ${change} && `}npm install && npm start`
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
async function dependencies(version: string): Promise<Record<string, string>> {
  const packages = resolve(ownFolder, '..')
  const isClone = (await readdir(resolve(packages, '..'))).includes('nx.json')
  const of = (folder: string) => (isClone ? `file:${join(packages, folder)}` : version)
  return {
    '@sonotext/core': of('core-ts'),
    '@sonotext/native-cuda': of('native-cuda'),
    '@sonotext/scenes': of('scenes'),
  }
}

/** What npm takes for a name: small letters, digits and hyphens. */
function nameOf(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return name === '' ? 'sonotext-project' : name
}
