// Lays every package out as it is published, each in a folder of its own: only files whose source is there and only what an installed
// package can use of them, a CommonJS twin beside the ES modules, versions and platform packages written in, no scripts. `npm pack` in that folder does the rest.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeCommonJs } from './commonjs.mjs'
import { importedData, reachable, withoutComments } from './lean.mjs'
import { packed } from './npm.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Folders of packages/ that are published, in the order of their dependencies. */
export const published = ['native-cuda', 'core-ts', 'scenes', 'bench', 'cli']
/** Those that other people's CommonJS may require. The command line is none. */
const required = new Set(['native-cuda', 'core-ts', 'scenes'])

/** The platforms a release has packages for; CI builds each. The first is what this machine may stage itself. */
export const platforms = [
  { name: 'linux-x64-gnu', os: 'linux', cpu: 'x64', libc: 'glibc' },
  { name: 'linux-x64-musl', os: 'linux', cpu: 'x64', libc: 'musl' },
  { name: 'linux-arm64-gnu', os: 'linux', cpu: 'arm64', libc: 'glibc' },
  { name: 'darwin-arm64', os: 'darwin', cpu: 'arm64' },
  { name: 'win32-x64', os: 'win32', cpu: 'x64' },
]

/**
 * Stages a package and returns its folder.
 * @param platformNames platforms whose packages are named as optional dependencies of native-cuda
 */
export function stage(name, out, platformNames) {
  const from = join(root, 'packages', name)
  const to = join(out, name)
  const manifest = readJson(join(from, 'package.json'))
  rmSync(to, { recursive: true, force: true })
  const files = filesOf(from)
  const built = files.filter((file) => file.startsWith('dist/'))
  const declarations = built.filter((file) => file.endsWith('.d.ts'))
  const needed = [...reachable(from, declarations, manifest.exports ?? {}), ...importedData(from, built)]
  const kept = files.filter(
    (file) => needed.includes(file) || !(declarations.includes(file) || /^dist\/.*\.json$/.test(file)),
  )
  for (const file of kept) copy(from, to, file)
  for (const file of kept)
    if (file.startsWith('dist/') && file.endsWith('.js')) rewrite(join(to, file), withoutComments)
  cpSync(join(root, 'LICENSE'), join(to, 'LICENSE'))
  delete manifest.scripts
  delete manifest.devDependencies
  if (name === 'native-cuda') {
    manifest.optionalDependencies = Object.fromEntries(
      platformNames.map((platform) => [`@sonotext/native-${platform}`, manifest.version]),
    )
  }
  for (const file of kept) if (file.endsWith('.d.ts')) rewrite(join(to, file), forOlderTypeScript)
  if (required.has(name)) {
    writeCommonJs(to, from, Object.keys(manifest.dependencies ?? {}))
    manifest.files.push('cjs')
    manifest.exports = withRequire(manifest.exports)
  }
  writeJson(join(to, 'package.json'), manifest)
  return to
}

/** Stages the package of a platform around a built addon. */
export function stagePlatform(platform, addon, out) {
  const { name, ...fits } = platforms.find((each) => each.name === platform)
  const to = join(out, `native-${name}`)
  const { version, license, engines } = readJson(join(root, 'packages', 'native-cuda', 'package.json'))
  rmSync(to, { recursive: true, force: true })
  mkdirSync(to, { recursive: true })
  cpSync(addon, join(to, 'sonotext.node'))
  cpSync(join(root, 'LICENSE'), join(to, 'LICENSE'))
  const title = `@sonotext/native-${name}`
  writeFileSync(
    join(to, 'README.md'),
    `# ${title}\n\nThe native addon of Sonotext for ${name}. Installed by \`@sonotext/native-cuda\` where it fits; not meant to be imported.\n`,
  )
  writeJson(join(to, 'package.json'), {
    name: title,
    version,
    description: `The native addon of Sonotext for ${name}`,
    license,
    engines,
    os: [fits.os],
    cpu: [fits.cpu],
    ...(fits.libc === undefined ? {} : { libc: [fits.libc] }),
    main: './sonotext.node',
    files: ['sonotext.node'],
  })
  return to
}

/** Every export gets a `require` branch into cjs/, with types that say they are CommonJS. */
export function withRequire(exports) {
  const twin = (path) => path.replace(/^\.\/dist\//, './cjs/')
  return Object.fromEntries(
    Object.entries(exports).map(([key, target]) =>
      typeof target === 'string'
        ? [key, target]
        : [
            key,
            {
              import: target,
              require: { types: twin(target.types), default: twin(target.default) },
            },
          ],
    ),
  )
}

/** What npm would pack, but of dist only what a source file still stands for. */
function filesOf(folder) {
  return packed(folder, ['--dry-run']).files.filter((file) => !isStale(folder, file))
}

/** Before 5.7 TypeScript's typed arrays are not generic. */
function forOlderTypeScript(text) {
  return text.replace(
    /\b((?:Float|Int|Uint|BigInt|BigUint)\d+(?:Clamped)?Array)<ArrayBuffer(?:Like)?>/g,
    '$1',
  )
}

function rewrite(file, change) {
  const text = readFileSync(file, 'utf8')
  const changed = change(text)
  if (changed !== text) writeFileSync(file, changed)
}

function isStale(folder, file) {
  if (!file.startsWith('dist/')) return false
  const source = file.replace(/^dist\//, 'src/').replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts')
  return !existsSync(join(folder, source)) && !existsSync(join(folder, file.replace(/^dist\//, 'src/')))
}

function copy(from, to, file) {
  mkdirSync(dirname(join(to, file)), { recursive: true })
  cpSync(join(from, file), join(to, file))
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'))
}

function writeJson(file, value) {
  writeFileSync(file, JSON.stringify(value, null, 2) + '\n')
}
