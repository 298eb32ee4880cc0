import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createNodesV2 } from './suites.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const projects = readdirSync(`${root}/packages`)
  .map((name) => `packages/${name}/project.json`)
  .filter((file) => existsSync(`${root}/${file}`))
const [, infer] = createNodesV2
const targets = Object.fromEntries(
  infer([...projects, 'tools/project.json', 'examples/project.json'], {}, { workspaceRoot: root }).flatMap(
    ([, result]) => Object.entries(result.projects).map(([folder, project]) => [folder, project.targets]),
  ),
)

test('every package is a project, with targets to build, test and lint it', () => {
  expect(projects.length).toBe(readdirSync(`${root}/packages`).length)
  for (const [folder, own] of Object.entries(targets)) {
    expect(Object.keys(own), folder).toEqual(expect.arrayContaining(['build', 'test', 'lint']))
  }
})

test('every file of suites is a target of bench; counters may come from a cache, times never', () => {
  const files = readdirSync(`${root}/packages/bench/src/suites`).filter((file) => !file.endsWith('.test.ts'))
  const bench = targets['packages/bench']
  for (const file of files) {
    const suite = file.replace('.ts', '')
    expect(bench[suite], suite).toMatchObject({
      options: { suite },
      cache: suite === 'counters',
      dependsOn: ['build'],
    })
    expect(bench[suite].metadata.description, suite).not.toBe('')
  }
})
