import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { EOL } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterAll, describe, expect, it } from 'vitest'
import { toCommonJs } from './commonjs.mjs'
import { countersOf, differences } from './counters.mjs'
import { importedData, reachable, withoutComments } from './lean.mjs'
import { writeSettings } from './settings-page.mjs'
import { platforms, published, stage, stagePlatform, withRequire } from './stage.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
// In the repository, so that a staged package finds what it depends on.
mkdirSync(join(root, 'build'), { recursive: true })
const folder = mkdtempSync(join(root, 'build', 'release-test-'))
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

describe('of a build only what can be used', () => {
  it('scripts without comments do the same', async () => {
    const text = [
      '/** Of the function. */',
      "import { join } from 'node:path' // a reason",
      "export const url = () => join('a', '//not a comment', `/* nor ${1 /* but this */ + 1} this */`)",
      'export class Held { #x = 1; static { this.y = 2 } get x() { return this.#x } }',
      'export const lazy = () => import(/* webpackIgnore: true */ "node:os")',
      '//# sourceMappingURL=module.js.map',
    ].join('\n')
    const bare = withoutComments(text)
    expect(bare).not.toMatch(/Of the function|a reason|but this|sourceMappingURL/)
    const file = join(folder, 'bare.mjs')
    writeFileSync(file, bare)
    const module = await import(file)
    expect(module.url()).toBe(join('a', '//not a comment', '/* nor 2 this */'))
    expect([new module.Held().x, module.Held.y, (await module.lazy()).EOL]).toEqual([1, 2, EOL])
  })

  it('declarations are those that exports lead to', () => {
    const files = {
      'dist/index.d.ts': "export * from './a.js'\n",
      'dist/a.d.ts': "export declare const b: import('./deep/b.js').B\n",
      'dist/deep/b.d.ts': 'export interface B {}\n',
      'dist/deep/index.d.ts': "import './c.js'\nexport type { X } from 'other'\n",
      'dist/c.d.ts': 'export {}\n',
      'dist/deep/c.d.ts': 'export {}\n',
    }
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    const all = Object.keys(files)
    const main = { types: './dist/index.d.ts', default: './dist/index.js' }
    expect(reachable(folder, all, { '.': main, './x.json': './x.json' })).toEqual(all.slice(0, 3))
    const deep = { types: './dist/*/index.d.ts', default: './dist/*/index.js' }
    expect(reachable(folder, all, { './*': deep })).toEqual(['dist/deep/index.d.ts', 'dist/deep/c.d.ts'])
  })

  it('data are those that scripts import', () => {
    const files = {
      'dist/reads.js': "import words from './deep/words.json' with { type: 'json' }\n",
      'dist/reads.test.js': "import other from './deep/other.json' with { type: 'json' }\n",
      'dist/deep/words.json': '{}',
      'dist/deep/other.json': '{}',
    }
    for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text)
    expect(importedData(folder, Object.keys(files))).toEqual(['dist/deep/words.json'])
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

  it('gives types for every name that its exports give, and scripts without comments', () => {
    const core = staged['core-ts']
    const scripts = readdirSync(join(core, 'dist'), { recursive: true }).filter((file) =>
      file.endsWith('.js'),
    )
    expect(scripts.length).toBeGreaterThan(300)
    for (const file of scripts)
      expect(readFileSync(join(core, 'dist', file), 'utf8'), file).not.toMatch(/^\/\/# sourceMappingURL/m)
    expect(readFileSync(join(core, 'dist/corpus/corpus.js'), 'utf8')).not.toContain('/**')
    expect(readFileSync(join(core, 'dist/corpus/corpus.d.ts'), 'utf8')).toContain('/**')
    const indexes = scripts.filter((file) => /(^|\/)index\.js$/.test(file) && !/\/.*\//.test(file))
    const program = ts.createProgram(
      indexes.map((file) => join(core, 'dist', file.replace(/\.js$/, '.d.ts'))),
      {
        module: ts.ModuleKind.NodeNext,
        moduleResolution: ts.ModuleResolutionKind.NodeNext,
        noEmit: true,
        skipLibCheck: true,
      },
    )
    const missing = program
      .getSourceFiles()
      .filter(({ fileName }) => fileName.startsWith(join(core, 'dist')))
      .flatMap((file) => program.getSyntacticDiagnostics(file).concat(unresolved(program, file)))
    expect(missing).toEqual([])
  })

  it.each(['native-cuda', 'core-ts', 'scenes'])('%s gives CommonJS what it gives ES modules', (name) => {
    // What npm could not put at the top, because another version stands there.
    const nested = join(root, 'packages', name, 'node_modules')
    if (existsSync(nested)) symlinkSync(nested, join(staged[name], 'node_modules'), 'junction')
    // Both by Node itself: vitest would transform what it imports.
    const required = createRequire(import.meta.url)
    const [twin, module] = ['cjs', 'dist'].map((kind) => required(join(staged[name], kind, 'index.js')))
    expect(Object.keys(twin).sort()).toEqual(Object.keys(module).sort())
  })

  it('in CommonJS needs no package that is ES modules alone', () => {
    const twin = join(staged['core-ts'], 'cjs')
    expect(readFileSync(join(twin, 'text/terms.js'), 'utf8')).toContain(
      'require("./../dependencies/stemmer/index.js")',
    )
    expect(readFileSync(join(twin, 'dependencies/stemmer/LICENSE'), 'utf8')).toContain('MIT')
    const { stemmer } = createRequire(import.meta.url)(join(twin, 'dependencies/stemmer/index.js'))
    expect(stemmer('barking')).toBe('bark')
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

it('a file more in a package, or a package that grew, is a difference in words', () => {
  const tarball = (files, unpacked = 102_400) => [
    { name: '@sonotext/core', files, unpacked },
    { name: '@sonotext/native-linux-x64-gnu', files: ['sonotext.node'], unpacked: 1e7 },
  ]
  const files = ['LICENSE', 'dist/a.js', 'dist/b.d.ts']
  const before = countersOf(tarball(files))
  expect(before).toEqual({
    '@sonotext/core': { files: { LICENSE: 1, 'dist/**.d.ts': 1, 'dist/**.js': 1 }, kib: 100 },
  })
  expect(differences(tarball(files, 107_000), before)).toEqual([])
  expect(differences(tarball([...files, 'dist/a.js.map']), before)).toEqual([
    '@sonotext/core: dist/**.map was 0 files, is 1',
  ])
  expect(differences(tarball(files, 112_640), before)).toEqual(['@sonotext/core: unpacked 100 KiB, is 110'])
})

/** Relative modules that a file names and that are not there. */
function unresolved(program, file) {
  const checker = program.getTypeChecker()
  return file.imports
    .filter(
      ({ text }) =>
        text.startsWith('.') &&
        checker.getSymbolAtLocation(file.imports.find((node) => node.text === text)) === undefined,
    )
    .map(({ text }) => `${file.fileName}: ${text}`)
}

it('the page of settings keeps what was seen before of those that did not run', () => {
  const at = { json: join(folder, 'settings.json'), page: join(folder, 'settings.md') }
  const settings = [
    { name: 'jest', what: 'a test' },
    { name: 'pnpm', what: 'links' },
  ]
  writeSettings([{ stage: 'pnpm', outcome: 'failed', why: 'a | b' }], settings, at)
  writeSettings([{ stage: 'jest', outcome: 'passed', why: 'cpu' }], settings, at)
  const page = readFileSync(at.page, 'utf8')
  expect(page).toMatch(/\| jest \| a test \| passed \| cpu \|.*\n\| pnpm \| links \| failed \| a \\\| b \|/)
  expect(page).toContain('1 passed, 1 failed, 0 skipped.')
})
