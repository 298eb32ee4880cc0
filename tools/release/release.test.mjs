import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { toCommonJs } from './commonjs.mjs'
import { countersOf, differences } from './counters.mjs'
import { platforms, published, stage, stagePlatform, withRequire } from './stage.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'sonotext-release-'))
afterAll(() => rmSync(folder, { recursive: true }))
const built = existsSync(join(root, 'packages/core-ts/dist/index.js'))
const reason = built ? '' : ' (the TypeScript is not built: npm run setup)'

describe('the CommonJS twin', () => {
  it('requires what the module imported, and leaves import() to Node', () => {
    const text = `import { join } from 'node:path'\nexport const here = join(import.meta.url, 'x')\nexport const later = () => import('./y.js')\n`
    const file = join(folder, 'twin.cjs')
    writeFileSync(file, toCommonJs(text))
    writeFileSync(join(folder, 'y.js'), 'export const y = 7\n')
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    const twin = createRequire(import.meta.url)(file)
    expect(twin.here).toMatch(/^file:.*twin\.cjs\/x$/)
    return expect(twin.later()).resolves.toMatchObject({ y: 7 })
  })

  it('is what every export gives to require, with types of its own', () => {
    const target = { types: './dist/index.d.ts', default: './dist/index.js' }
    expect(withRequire({ '.': target, './package.json': './package.json' })).toEqual({
      '.': { import: target, require: { types: './cjs/index.d.ts', default: './cjs/index.js' } },
      './package.json': './package.json',
    })
  })
})

describe.skipIf(!built)(`a staged package${reason}`, () => {
  const staged = Object.fromEntries(published.map((name) => [name, stage(name, folder, ['linux-x64-gnu'])]))
  const manifest = (name) => JSON.parse(readFileSync(join(staged[name], 'package.json'), 'utf8'))

  it('has a licence, a page of its own, and no script', () => {
    for (const name of published) {
      expect(readFileSync(join(staged[name], 'LICENSE'), 'utf8')).toContain('MIT License')
      expect(readFileSync(join(staged[name], 'README.md'), 'utf8')).toContain(`# ${manifest(name).name}\n`)
      expect(manifest(name)).not.toHaveProperty('scripts')
      expect(manifest(name)).not.toHaveProperty('devDependencies')
    }
  })

  it('names the packages of platforms in its own version', () => {
    const { version, optionalDependencies } = manifest('native-cuda')
    expect(optionalDependencies).toEqual({ '@sonotext/native-linux-x64-gnu': version })
    for (const name of published) expect(manifest(name).version).toBe(version)
  })

  it('holds neither tests nor maps, but all that its exports and its build name', () => {
    for (const file of [
      'compile/addon.mjs',
      'CMakeLists.txt',
      'gyp/binding.gyp',
      'native/core/ops.def',
      'cjs/load.js',
    ])
      expect(existsSync(join(staged['native-cuda'], file)), file).toBe(true)
    for (const file of ['native/test', 'compile/compile.test.mjs', 'dist/load.test.js', 'dist/load.js.map'])
      expect(existsSync(join(staged['native-cuda'], file)), file).toBe(false)
    const targets = (value) => (typeof value === 'string' ? [value] : Object.values(value).flatMap(targets))
    for (const name of published)
      for (const target of targets(manifest(name).exports))
        if (!target.includes('*')) expect(existsSync(join(staged[name], target)), target).toBe(true)
  })

  it('holds every file that its sources include', () => {
    const native = join(staged['native-cuda'], 'native')
    const sources = readdirSync(native, { recursive: true }).filter((file) =>
      /\.(cpp|hpp|inl|cu|cuh)$/.test(file),
    )
    for (const file of sources)
      for (const [, included] of readFileSync(join(native, file), 'utf8').matchAll(/^#include "([^"]+)"/gm))
        if (included.includes('.'))
          expect(existsSync(join(native, dirname(file), included)), `${file}: ${included}`).toBe(true)
  })

  it('of a platform fits that platform alone', () => {
    const addon = join(folder, 'some.node')
    writeFileSync(addon, 'x')
    const to = stagePlatform('linux-x64-musl', addon, folder)
    expect(JSON.parse(readFileSync(join(to, 'package.json'), 'utf8'))).toMatchObject({
      name: '@sonotext/native-linux-x64-musl',
      os: ['linux'],
      cpu: ['x64'],
      libc: ['musl'],
      main: './sonotext.node',
    })
    expect(platforms.map(({ name }) => name)).toContain('darwin-arm64')
  })
})

it('npm pack in a folder of packages says where packages are packed', () => {
  const cwd = join(root, 'packages', 'core-ts')
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(dirname(fileURLToPath(import.meta.url)), 'prepack.mjs')],
    { cwd, encoding: 'utf8' },
  )
  expect(status).toBe(1)
  expect(stderr).toContain('npm run release:pack')
})

it('a file more in a package is a difference in words', () => {
  const tarball = (files) => [
    { name: '@sonotext/core', files },
    { name: '@sonotext/native-linux-x64-gnu', files: ['sonotext.node'] },
  ]
  const before = countersOf(tarball(['LICENSE', 'dist/a.js', 'dist/b.d.ts']))
  expect(before).toEqual({ '@sonotext/core': { LICENSE: 1, 'dist/**.d.ts': 1, 'dist/**.js': 1 } })
  expect(differences(tarball(['LICENSE', 'dist/a.js', 'dist/b.d.ts']), before)).toEqual([])
  expect(differences(tarball(['LICENSE', 'dist/a.js', 'dist/a.js.map', 'dist/b.d.ts']), before)).toEqual([
    '@sonotext/core: dist/**.map was 0 files, is 1',
  ])
})
