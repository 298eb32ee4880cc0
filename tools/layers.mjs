#!/usr/bin/env node
// Import walls: which folder may import which, and no files in a circle. Its planted violations are checked on every run.
//
// Packages: cli → bench → scenes → core-ts → native-cuda. Folders of core-ts stand in the layers below and import only lower ones.
// Tests (*.test.ts), testing/ and the package's own index may import anything of core-ts. Files of one folder import each
// other as they like, but never in a circle, types included: an interface stands apart from the registry of its implementations.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/** Top to bottom. Folders in one row do not import each other, unless listed in `siblings`. */
const layers = [
  ['runs'],
  ['report'],
  ['train', 'evaluation'],
  ['models', 'losses'],
  ['align', 'retrieval', 'negatives', 'similarity'],
  // Guards and losses take graded values from relevance, which tests agreement with the statistics of metrics.
  ['relevance'],
  ['metrics'],
  ['corpus'],
  ['data'],
  ['segments'],
  ['audio', 'text'],
  ['registry'],
  ['nn', 'onnx'],
  ['comm'],
  ['backend'],
  ['base'],
]
const siblings = new Set([])
/**
 * Pure functions of arrays: nothing that computes on a backend may be imported here. `relevance` is not: it compares every caption of a
 * corpus with every clip, which wants the backend's products.
 */
const pure = new Set(['metrics', 'negatives'])
const impure = new Set(['backend', 'nn', 'audio', 'data', 'corpus'])

const packages = {
  'core-ts': ['@sonotext/native-cuda'],
  'native-cuda': [],
  scenes: ['@sonotext/core'],
  cli: ['@sonotext/core', '@sonotext/scenes', '@sonotext/bench'],
  bench: ['@sonotext/core', '@sonotext/native-cuda', '@sonotext/scenes'],
}

/** What tests of any package may ask for besides: whether a program is there. */
const programs = 'tools/program.mjs'

const rank = new Map(layers.flatMap((row, index) => row.map((folder) => [folder, index])))

/** Problems of one source text at `path` (relative to the repository root, with `/`). */
export function problemsOf(path, text) {
  const problems = []
  const [, packageName, , ...inside] = path.split('/')
  for (const { specifier, line } of importsOf(text)) {
    const at = `${path}:${line}`
    if (specifier.startsWith('@sonotext/') || specifier === 'sonotext') {
      const target = specifier.split('/').slice(0, 2).join('/')
      if (!packages[packageName]?.includes(target))
        problems.push(`${at}: ${packageName} may not import ${target}`)
      continue
    }
    if (!specifier.startsWith('.')) continue
    const target = join(dirname(path), specifier).split(sep).join('/')
    if (target === programs && path.endsWith('.test.ts')) continue
    if (!target.startsWith(`packages/${packageName}/`)) {
      problems.push(`${at}: import leaves the package (${specifier})`)
      continue
    }
    if (packageName !== 'core-ts') continue
    const from = inside.length > 1 ? inside[0] : 'index'
    const to = target.split('/').length > 4 ? target.split('/')[3] : 'index'
    if (from === 'index' || from === 'testing' || path.endsWith('.test.ts') || from === to) continue
    if (to === 'testing' || to === 'index') problems.push(`${at}: product code may not import ${to}`)
    else if (!rank.has(from))
      problems.push(`${at}: folder ${from} stands in no layer; add it to tools/layers.mjs`)
    else if (!rank.has(to))
      problems.push(`${at}: folder ${to} stands in no layer; add it to tools/layers.mjs`)
    else if (
      rank.get(to) < rank.get(from) ||
      (rank.get(to) === rank.get(from) && !siblings.has(`${from}>${to}`))
    ) {
      problems.push(`${at}: ${from} may not import ${to}`)
    } else if (pure.has(from) && impure.has(to))
      problems.push(`${at}: ${from} is pure and may not import ${to}`)
  }
  return problems
}

/** Circles among source texts by path: for each file in one the shortest that it is in, told once. */
export function circlesOf(texts) {
  const imports = (path) =>
    importsOf(texts.get(path))
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(({ specifier }) => join(dirname(path), specifier).split(sep).join('/'))
      .map((target) => (texts.has(target) ? target : target.replace(/\.js$/, '.ts')))
      .filter((target) => texts.has(target))
  const graph = new Map([...texts.keys()].map((path) => [path, imports(path)]))
  const told = new Set()
  const problems = []
  for (const path of graph.keys()) {
    if (told.has(path)) continue
    const circle = wayBack(graph, path)
    if (circle === undefined) continue
    for (const member of circle) told.add(member)
    problems.push(`import circle: ${[...circle, path].join(' → ')}`)
  }
  return problems
}

/** The files on the shortest way from `start` back to itself, or undefined. */
function wayBack(graph, start) {
  const ways = [[start]]
  const seen = new Set()
  for (const way of ways) {
    for (const next of graph.get(way.at(-1))) {
      if (next === start) return way
      if (seen.has(next)) continue
      seen.add(next)
      ways.push([...way, next])
    }
  }
  return undefined
}

/** Static and dynamic imports and re-exports, with their line numbers. */
function importsOf(text) {
  const found = []
  const pattern = /(?:\bfrom\s+|\bimport\s*\(\s*|^\s*import\s+)['"]([^'"]+)['"]/gm
  for (const match of text.matchAll(pattern)) {
    found.push({ specifier: match[1], line: text.slice(0, match.index).split('\n').length })
  }
  return found
}

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (['node_modules', 'dist', 'build'].includes(entry.name)) continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* sources(path)
    else if (/\.(ts|mts|js|mjs)$/.test(entry.name) && path.includes(`${sep}src${sep}`)) yield path
  }
}

function selfTest() {
  const planted = [
    ['packages/core-ts/src/metrics/x.ts', `import { Tape } from '../nn/tape.js'`],
    ['packages/core-ts/src/nn/x.ts', `import { crnn } from '../models/crnn.js'`],
    ['packages/core-ts/src/models/x.ts', `export * from '../losses/triplet.js'`],
    ['packages/core-ts/src/audio/x.ts', `const t = await import('../text/tokenize.js')`],
    ['packages/core-ts/src/data/x.ts', `import { openCorpus } from '../corpus/index.js'`],
    ['packages/core-ts/src/metrics/x.ts', `import { openCorpus } from '../corpus/index.js'`],
    ['packages/core-ts/src/base/x.ts', `import { cases } from '../testing/backend.cases.js'`],
    ['packages/core-ts/src/data/x.ts', `import { composeScenes } from '@sonotext/scenes'`],
    ['packages/scenes/src/x.ts', `import { load } from '@sonotext/native-cuda'`],
    ['packages/native-cuda/src/x.ts', `import { logMel } from '@sonotext/core/audio'`],
    ['packages/cli/src/x.ts', `import { load } from '@sonotext/native-cuda'`],
    ['packages/bench/src/x.ts', `import { load } from '../../native-cuda/src/load.js'`],
    ['packages/native-cuda/src/x.ts', `import { missing } from '../../../tools/program.mjs'`],
  ]
  const allowed = [
    ['packages/core-ts/src/train/x.ts', `import { crnn } from '../models/crnn.js'`],
    ['packages/core-ts/src/train/x.ts', `import { openCorpus } from '../corpus/index.js'`],
    ['packages/core-ts/src/losses/x.ts', `import { negatives } from '../negatives/index.js'`],
    ['packages/core-ts/src/metrics/x.ts', `import { expected } from '../base/errors.js'`],
    ['packages/core-ts/src/metrics/x.test.ts', `import { Tape } from '../nn/tape.js'`],
    ['packages/scenes/src/x.ts', `import { readManifest } from '@sonotext/core/data'`],
    ['packages/cli/src/x.ts', `import { composeScenes } from '@sonotext/scenes'`],
    ['packages/bench/src/x.ts', `import { logMel } from '@sonotext/core/audio'`],
    ['packages/native-cuda/src/x.test.ts', `import { missing } from '../../../tools/program.mjs'`],
  ]
  const missed = planted.filter(([path, text]) => problemsOf(path, text).length === 0)
  const wrong = allowed.filter(([path, text]) => problemsOf(path, text).length !== 0)
  const plantedCircles = [
    { 'a.ts': `import type { B } from './b.js'`, 'b.ts': `export * from './a.js'` },
    {
      'main.ts': `run(() => import('./commands/x.js'))`,
      'commands/x.ts': `import { table } from '../table.js'`,
      'table.ts': `export type Context = import('./main.js').Context`,
    },
    { 'a.ts': `import './a.js'` },
  ]
  const noCircle = {
    'index.ts': `export * from './a.js'\nexport * from './b.js'`,
    'a.ts': `import { c } from './c.js'`,
    'b.ts': `import { a } from './a.js'\nimport type { C } from './c.js'`,
    'c.ts': `import { readFile } from 'node:fs'`,
    'a.test.ts': `import { a } from './index.js'`,
  }
  const circles = (files) => circlesOf(new Map(Object.entries(files)))
  const overlooked = plantedCircles.filter((files) => circles(files).length !== 1)
  const invented = circles(noCircle)
  for (const files of overlooked)
    console.error(`layers: planted circle not caught once: ${JSON.stringify(files)}`)
  for (const circle of invented) console.error(`layers: ${circle} where there is none`)
  for (const [path, text] of missed) console.error(`layers: planted violation not caught: ${path}: ${text}`)
  for (const [path, text] of wrong) console.error(`layers: allowed import refused: ${path}: ${text}`)
  return [missed, wrong, overlooked, invented].every((list) => list.length === 0)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const ok = selfTest()
  const texts = new Map(
    Array.from(sources(join(root, 'packages')), (path) => [
      relative(root, path).split(sep).join('/'),
      readFileSync(path, 'utf8'),
    ]),
  )
  const problems = [...[...texts].flatMap(([path, text]) => problemsOf(path, text)), ...circlesOf(texts)]
  for (const problem of problems) console.error(`layers: ${problem}`)
  if (!ok || problems.length > 0) process.exit(1)
  console.log('layers: imports keep to the walls and run in no circle, planted violations were caught')
}
