// The build where there is neither CMake nor Python: reads the recipe of gyp/binding.gyp (it is plain JSON) and calls the
// compiler for each source file.
import { mkdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { captured } from './run.mjs'

/** The targets of a recipe with the conditions for `arch` merged in. */
export function targetsOf(recipe, arch = process.arch) {
  const merged = merge(recipe, arch)
  return merged.targets.map((target) => {
    const own = merge(target, arch)
    const common = recipe.target_defaults
    const removed = new Set(common['cflags_cc!'] ?? [])
    return {
      name: own.target_name,
      sources: own.sources,
      flags: [...common.cflags_cc, ...(own.cflags_cc ?? [])].filter((flag) => !removed.has(flag)),
      defines: [...common.defines, ...(own.defines ?? [])],
      libraries: own.libraries ?? [],
    }
  })
}

function merge(node, arch) {
  const result = { ...node }
  for (const [condition, values] of node.conditions ?? []) {
    const wanted = /^target_arch=='(\w+)'$/.exec(condition)?.[1]
    if (wanted === undefined)
      throw new Error(`binding.gyp: only target_arch conditions are understood, not ${condition}`)
    if (wanted !== arch) continue
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
