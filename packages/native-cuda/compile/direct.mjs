// The build where there is neither CMake nor Python: reads the recipe of gyp/binding.gyp (it is plain JSON) and calls the
// compiler for each source file.
import { mkdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { captured } from './run.mjs'

/** The targets of a recipe with the conditions for a system and processor merged in. */
export function targetsOf(recipe, { os = process.platform, arch = process.arch } = {}) {
  const expanded = (flags) =>
    flags.flatMap((flag) => {
      const name = /^<@\((\w+)\)$/.exec(flag)?.[1]
      return name === undefined ? [flag] : recipe.variables[name]
    })
  const merged = merge(recipe, os, arch)
  return merged.targets.map((target) => {
    const own = merge(target, os, arch)
    const common = recipe.target_defaults
    return {
      name: own.target_name,
      sources: own.sources,
      flags: expanded([...common.cflags_cc, ...(own.cflags_cc ?? [])]),
      defines: [...common.defines, ...(own.defines ?? [])],
      libraries: own.libraries ?? [],
    }
  })
}

function merge(node, os, arch) {
  const conditions = {
    "OS!='win'": os !== 'win32',
    "target_arch=='x64'": arch === 'x64',
    "target_arch=='arm64'": arch === 'arm64',
  }
  const result = { ...node }
  for (const [condition, values] of node.conditions ?? []) {
    if (!Object.hasOwn(conditions, condition))
      throw new Error(`binding.gyp: this build does not understand the condition ${condition}`)
    if (!conditions[condition]) continue
    for (const [key, value] of Object.entries(values)) result[key] = [...(result[key] ?? []), ...value]
  }
  return result
}

export async function compileDirectly({ recipe, base, headers, build, addon, compiler, env, log, jobs }) {
  const targets = targetsOf(recipe)
  const objects = join(build, 'objects')
  mkdirSync(objects, { recursive: true })
  mkdirSync(dirname(addon), { recursive: true })
  const words = (text) => (text ?? '').split(/\s+/).filter(Boolean)
  const work = targets.flatMap(({ name, sources, flags, defines }) =>
    sources.map((source) => ({
      object: join(objects, `${name}-${basename(source)}.o`),
      args: [
        ...flags,
        ...words(env.CXXFLAGS),
        ...defines.map((define) => `-D${define}`),
        `-I${join(headers, 'include', 'node')}`,
        '-c',
        resolve(base, source),
      ],
    })),
  )
  const queue = [...work]
  const worker = async () => {
    for (let item = queue.pop(); item !== undefined; item = queue.pop()) {
      await captured(compiler, [...item.args, '-o', item.object], { cwd: base, env, log })
    }
  }
  await Promise.all(Array.from({ length: jobs }, worker))
  const link = process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared']
  const libraries = targets.flatMap((target) => target.libraries)
  const files = work.map((item) => item.object)
  await captured(compiler, [...link, ...words(env.LDFLAGS), ...files, ...libraries, '-o', addon], {
    cwd: base,
    env,
    log,
  })
}
