#!/usr/bin/env node
// Packs everything that is published into build/release:
//
//   npm run release:pack [-- --addon FILE --platform NAME] [-- --platforms NAME,NAME | all]
//
// The addon of this clone, or FILE, becomes the package of its platform. --platforms says which ones the release names as
// optional dependencies; without it those that are packed here.
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { packed } from './npm.mjs'
import { platforms, published, stage, stagePlatform } from './stage.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Stages and packs; returns `{ name, file, files, bytes, unpacked }` of each tarball.
 * @param addons files of built addons by platform
 * @param names the platforms that the release names
 */
export function packAll(out, addons, names = Object.keys(addons)) {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  const staged = join(out, 'staged')
  for (const name of published) {
    if (!existsSync(join(root, 'packages', name, 'dist', 'index.js')) && name !== 'cli') {
      throw new Error(`packages/${name} is not built. Run npm run setup first.`)
    }
  }
  const folders = [
    ...Object.keys(addons).map((platform) => stagePlatform(platform, addons[platform], staged)),
    ...published.map((name) => stage(name, staged, names)),
  ]
  return folders.map((folder) => {
    const { filename, ...rest } = packed(folder, ['--pack-destination', out])
    return { ...rest, file: join(out, filename) }
  })
}

/** The platform and the addon of this clone's build, where there is one. */
export async function localAddons() {
  const addon = join(root, 'packages', 'native-cuda', 'build', 'Release', 'sonotext.node')
  const { systemName } = await import('../../packages/native-cuda/dist/system.js')
  const name = systemName()
  const known = platforms.some((platform) => platform.name === name)
  return existsSync(addon) && known ? { [name]: addon } : {}
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      addon: { type: 'string' },
      platform: { type: 'string' },
      platforms: { type: 'string' },
    },
  })
  const known = platforms.map(({ name }) => name)
  const named = values.platforms === 'all' ? known : values.platforms?.split(',')
  for (const name of [...(named ?? []), ...(values.platform === undefined ? [] : [values.platform])]) {
    if (!known.includes(name))
      throw new Error(`There is no platform "${name}"; there are ${known.join(', ')}.`)
  }
  const addons = values.addon === undefined ? await localAddons() : { [values.platform]: values.addon }
  for (const { name, file, bytes, files } of packAll(join(root, 'build', 'release'), addons, named)) {
    console.log(
      `${name.padEnd(32)} ${String(files.length).padStart(4)} files ${(bytes / 1e6).toFixed(2).padStart(6)} MB  ${file}`,
    )
  }
  if (Object.keys(addons).length === 0) {
    console.log(
      'No addon is built here: no package of a platform. Run npm run setup where there is a C++ compiler.',
    )
  }
}
