// An Nx plugin of this workspace: every package gets `build`, `test` and `lint`, and every file of packages/bench/src/suites is a
// target of `bench` with the file's name. A project.json says only what differs.
import { readFileSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

export const name = 'sonotext-workspace'

/** Suites whose results depend on the sources alone. Everything else measures times, and a time is never taken from a cache. */
const exact = new Set(['counters'])

const lint = (folder) => `eslint ${folder} && prettier --check --ignore-unknown ${folder}`

function targetsOf(folder, hasTests) {
  const typescript = ['typescript', '^typescript', '^native']
  return {
    build: { command: `tsc -b ${folder}`, dependsOn: ['^build'] },
    ...(hasTests
      ? {
          test: {
            command: `vitest run ${folder}`,
            dependsOn: ['build'],
            inputs: [
              'default',
              ...typescript,
              'surroundings',
              { externalDependencies: ['vitest', 'typescript'] },
            ],
            cache: true,
          },
        }
      : {}),
    lint: {
      command: lint(folder),
      inputs: ['default', 'style', { externalDependencies: ['eslint', 'prettier', 'typescript-eslint'] }],
      cache: true,
    },
  }
}

function suiteTargets(root, folder) {
  const suites = readdirSync(join(root, folder, 'src', 'suites'))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => basename(file, '.ts'))
  const help = `node ${folder}/dist/run-suite.js`
  return Object.fromEntries(
    suites.map((suite) => [
      suite,
      {
        executor: './tools/nx:suite',
        options: { suite },
        dependsOn: ['build'],
        cache: exact.has(suite),
        inputs: ['typescript', '^typescript', 'native', '^native', 'baselines'],
        metadata: {
          description: headline(readFileSync(join(root, folder, 'src', 'suites', `${suite}.ts`), 'utf8')),
          help: { command: `${help} ${suite} --help`, example: {} },
        },
      },
    ]),
  )
}

/** The first sentence of a suite's comment that is not its command line. */
function headline(source) {
  const lines =
    /^\/\*\*([^]*?)\*\//
      .exec(source)?.[1]
      .split('\n')
      .map((line) => line.replace(/^ ?\* ?/, '').trim()) ?? []
  const words = lines.filter((line) => line !== '' && !/^(`?nx run|--| {2})/.test(line)).join(' ')
  return /^[^]*?[.:](?= |$)/.exec(words)?.[0] ?? ''
}

function hasTests(folder) {
  return readdirSync(folder, { recursive: true }).some(
    (file) => /\.test\.m?ts$/.test(file) || /\.test\.mjs$/.test(file),
  )
}

export const createNodesV2 = [
  '{packages/*,examples,tools}/project.json',
  (files, _options, { workspaceRoot }) =>
    files.map((file) => {
      const folder = dirname(file)
      const targets = targetsOf(
        folder,
        hasTests(join(workspaceRoot, folder, folder.startsWith('packages/') ? 'src' : '.')),
      )
      const suites = folder === 'packages/bench' ? suiteTargets(workspaceRoot, folder) : {}
      return [file, { projects: { [folder]: { targets: { ...targets, ...suites } } } }]
    }),
]
