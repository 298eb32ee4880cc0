import { spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { templateNames } from './commands/init.js'
import { cli, cliJson, notBuilt } from './testing/run-cli.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'sonotext-init-'))
afterAll(() => rmSync(folder, { recursive: true }))
const read = (...path: string[]) => readFileSync(join(...path), 'utf8')

it('templates are the examples that are run', () => {
  const templates = join(root, 'packages/cli/templates')
  expect(readdirSync(templates).toSorted()).toEqual(templateNames.toSorted())
  expect(read(templates, 'train/main.mjs')).toBe(read(root, 'examples/quickstart.mjs'))
  expect(read(templates, 'search/train.mjs')).toBe(read(root, 'examples/quickstart.mjs'))
  expect(read(templates, 'search/main.mjs')).toBe(read(root, 'examples/http-search.mjs'))
  expect(read(templates, 'bench/sonotext.bench.mjs')).toBe(
    read(root, 'examples/speed-check/sonotext.bench.mjs'),
  )
})

describe.skipIf(notBuilt !== null)(`sonotext init${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  it('writes a project whose packages are found, and says what to run', async () => {
    const project = join(folder, 'My Söunds')
    const { next } = await cliJson<{ next: string }>(['init', project, '--template', 'search'])
    expect(next).toMatch(/npm install && npm start$/)
    expect(readdirSync(project).toSorted()).toEqual(['main.mjs', 'package.json', 'train.mjs'])
    const { name, scripts, dependencies } = JSON.parse(read(project, 'package.json'))
    expect(name).toBe('my-s-unds')
    expect(scripts.start).toBe('node train.mjs && node main.mjs')
    for (const [dependency, where] of Object.entries<string>(dependencies)) {
      const { name } = JSON.parse(read(where.replace('file:', ''), 'package.json'))
      expect(name).toBe(dependency)
    }
    symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'), 'dir')
    // Programs speak of each other by the names they have here.
    expect(read(project, 'main.mjs')).toContain('that train.mjs leaves behind. `node main.mjs --try`')
    const found = spawnSync(process.execPath, ['--check', 'main.mjs'], { cwd: project })
    expect(found.status).toBe(0)
  })

  it('writes a project that compares the installed version with another', async () => {
    const project = join(folder, 'speed')
    await cliJson(['init', project, '--template', 'bench'])
    const { scripts, dependencies } = JSON.parse(read(project, 'package.json'))
    expect(scripts.start).toMatch(/^sonotext bench check --against /)
    expect(Object.keys(dependencies)).toContain('sonotext')
    const text = read(project, 'sonotext.bench.mjs')
    expect(text).toContain('--functions sonotext.bench.mjs')
    expect(text).toContain('export function words_of_a_caption')
  })

  it('overwrites nothing, and knows its templates', async () => {
    const project = join(folder, 'taken')
    mkdirSync(project)
    writeFileSync(join(project, 'package.json'), 'mine')
    const taken = await cli(['init', project])
    expect(taken.code).toBe(1)
    expect(taken.stderr).toContain('has package.json already. Name another folder')
    expect(read(project, 'package.json')).toBe('mine')
    expect(readdirSync(project)).toEqual(['package.json'])
    const unknown = await cli(['init', join(folder, 'new'), '--template', 'nothing'])
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('train, search, bench')])
  })
})
