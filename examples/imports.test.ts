import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const source = join(root, 'packages/core-ts/src')
const built = ['core-ts', 'scenes'].every((name) => existsSync(join(root, 'packages', name, 'dist/index.js')))
const folders = readdirSync(source, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .toSorted()

let project: string
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'sonotext-project-'))
  await symlink(join(root, 'node_modules'), join(project, 'node_modules'), 'dir')
})
afterAll(() => rm(project, { recursive: true }))

/** Runs a program of a project elsewhere that depends on the packages. */
async function printed(program: string): Promise<unknown> {
  await writeFile(join(project, 'program.mjs'), program)
  const { status, stdout, stderr } = spawnSync(process.execPath, ['program.mjs'], {
    cwd: project,
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return JSON.parse(stdout)
}

it('every folder names its public exports', () => {
  for (const folder of folders) expect(existsSync(join(source, folder, 'index.ts')), folder).toBe(true)
})

describe('public names', () => {
  const indexes = [
    ...folders.map((folder) => join(source, folder, 'index.ts')),
    ...['scenes', 'native-cuda'].map((name) => join(root, 'packages', name, 'src/index.ts')),
  ]
  const program = ts.createProgram(indexes, {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    noLib: true,
    types: [],
  })
  const checker = program.getTypeChecker()
  /** Every exported name, types included, with what it stands for: a name of each index that exports it. */
  const names = indexes.flatMap((index) =>
    checker
      .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(index)!)!)
      .map((symbol) => ({ index, name: symbol.name, meaning: meant(symbol) })),
  )
  function meant(symbol: ts.Symbol): ts.Symbol {
    return (symbol.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(symbol) : symbol
  }

  it('stand for one thing each, whichever subpath exports them', () => {
    const meanings = new Map<string, Set<ts.Symbol>>()
    // The addon has names of its own for what the library speaks of too.
    for (const { index, name, meaning } of names)
      if (!index.includes('native-cuda')) meanings.set(name, (meanings.get(name) ?? new Set()).add(meaning))
    expect(meanings.size).toBeGreaterThan(300)
    const twice = [...meanings].filter(([, of]) => of.size > 1).map(([name]) => name)
    expect(twice).toEqual([])
  })

  it('say what they are', () => {
    const silent = names.filter(({ meaning }) => meaning.getDocumentationComment(checker).length === 0)
    expect(silent.map(({ index, name }) => `${name} of ${relative(root, index)}`)).toEqual([])
  })
})

describe.skipIf(!built)(`imports from a plain project${built ? '' : ' (not built: npm run setup)'}`, () => {
  it('@sonotext/core gives the names people start with', async () => {
    const names = await printed(
      `import * as core from '@sonotext/core'; console.log(JSON.stringify(Object.keys(core)))`,
    )
    expect(names).toEqual(
      expect.arrayContaining([
        ...['openBackend', 'Rng', 'matrix', 'SonotextError', 'logMel', 'readMono', 'tokenize', 'Vocabulary'],
        ...['readManifest', 'checkClips', 'dualEncoder', 'crnn', 'words'],
        ...[
          'pooled',
          'frameWord',
          'tripletLoss',
          'infoNceLoss',
          'strategies',
          'createTrainer',
          'adam',
          'loadModel',
        ],
        ...['createIndex', 'evaluateScores', 'measures', 'trainRun', 'openRun', 'evaluateRun', 'searchRun'],
      ]),
    )
  })

  it('@sonotext/scenes gives banks, the composer and the captions; @sonotext/core has none of them', async () => {
    const { scenes, shared } = (await printed(
      `import * as scenes from '@sonotext/scenes'
       const core = new Set(Object.keys(await import('@sonotext/core')))
       for (const folder of ${JSON.stringify(folders)}) for (const name of Object.keys(await import('@sonotext/core/' + folder))) core.add(name)
       console.log(JSON.stringify({ scenes: Object.keys(scenes), shared: Object.keys(scenes).filter((name) => core.has(name)) }))`,
    )) as Record<string, string[]>
    expect(scenes).toEqual(
      expect.arrayContaining([
        'captionScene',
        'composeScenes',
        'folderBank',
        'lexemeOf',
        'proceduralBank',
        'synthesize',
      ]),
    )
    expect(shared).toEqual([])
  })

  it('every folder is a subpath', async () => {
    const counts = await printed(
      `const counts = {}
       for (const folder of ${JSON.stringify(folders)}) counts[folder] = Object.keys(await import('@sonotext/core/' + folder)).length
       console.log(JSON.stringify(counts))`,
    )
    expect(Object.keys(counts as object)).toEqual(folders)
    for (const [folder, count] of Object.entries(counts as Record<string, number>)) {
      expect(count, folder).toBeGreaterThan(0)
    }
  })

  it('what the short index gives is what the folders give', async () => {
    const strangers = await printed(
      `import * as core from '@sonotext/core'
       const all = new Set()
       for (const folder of ${JSON.stringify(folders)}) for (const value of Object.values(await import('@sonotext/core/' + folder))) all.add(value)
       console.log(JSON.stringify(Object.entries(core).filter(([, value]) => !all.has(value)).map(([name]) => name)))`,
    )
    expect(strangers).toEqual([])
  })

  it('the schemas are shipped', async () => {
    const ids = await printed(
      `import manifest from '@sonotext/core/manifest.schema.json' with { type: 'json' }
       import run from '@sonotext/core/run.schema.json' with { type: 'json' }
       console.log(JSON.stringify([manifest.title, run.title]))`,
    )
    expect(ids).toEqual(['ManifestLine', 'RunConfig'])
  })
})

it('the manifests of the packages say what they need to run', () => {
  const needed = { 'core-ts': '@sonotext/native-cuda', scenes: '@sonotext/core', cli: '@sonotext/scenes' }
  for (const [name, dependency] of Object.entries(needed)) {
    const { files, dependencies } = JSON.parse(
      readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'),
    ) as { files: string[]; dependencies: Record<string, string> }
    expect(files).toContain('dist')
    expect(files).toContain('!dist/**/*.test.*')
    expect(Object.keys(dependencies)).toContain(dependency)
  }
})
