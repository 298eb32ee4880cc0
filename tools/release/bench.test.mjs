import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packed } from './npm.mjs'
import { published } from './stage.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)
const built = existsSync(join(root, 'packages/cli/dist/main.js'))

/**
 * A project that has installed what is published: the packed files of every package, and beside them another version of the library
 * under a name of its own, as `npm install core-old@npm:@sonotext/core@0.0.9` would leave it.
 */
async function installed() {
  const project = await mkdtemp(join(tmpdir(), 'sonotext-bench-project-'))
  const modules = join(project, 'node_modules')
  await mkdir(modules)
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (!name.endsWith('sonotext') && !name.startsWith('.')) {
      await symlink(join(root, 'node_modules', name), join(modules, name))
    }
  }
  for (const name of published) {
    const { name: own, filename } = packed(join(root, 'packages', name), ['--pack-destination', project])
    const into = join(modules, own)
    await mkdir(into, { recursive: true })
    await run('tar', ['-xzf', join(project, filename), '-C', into, '--strip-components=1'])
    // What npm could not put at the top, because another version stands there.
    const nested = join(root, 'packages', name, 'node_modules')
    if (existsSync(nested)) await symlink(nested, join(into, 'node_modules'))
  }
  await cp(join(modules, '@sonotext', 'core'), join(modules, 'core-old'), {
    recursive: true,
    verbatimSymlinks: true,
  })
  const manifest = join(modules, 'core-old', 'package.json')
  const { version, ...rest } = JSON.parse(await readFile(manifest, 'utf8'))
  await writeFile(manifest, JSON.stringify({ ...rest, version: `${version}-old` }))
  await writeFile(join(project, 'package.json'), '{ "name": "service", "private": true }')
  await cp(join(root, 'examples', 'speed-check', 'sonotext.bench.mjs'), join(project, 'sonotext.bench.mjs'))
  return { project, old: `${version}-old` }
}

describe.skipIf(!built)(
  `sonotext bench check${built ? '' : ' (the TypeScript is not built: npm run setup)'}`,
  () => {
    let project, old
    beforeAll(async () => ({ project, old } = await installed()), 240_000)
    afterAll(() => rm(project, { recursive: true, force: true }))

    async function check(...args) {
      const program = join(project, 'node_modules', 'sonotext', 'bin', 'sonotext.js')
      // An addon of the clone is none of the project's.
      const env = { ...process.env, SONOTEXT_ADDON: '' }
      try {
        return {
          code: 0,
          ...(await run(process.execPath, [program, 'bench', 'check', ...args], { cwd: project, env })),
        }
      } catch (error) {
        return error
      }
    }
    const names = 'words_of_a_caption,search_a_collection,wav_there_and_back'

    it('from tarballs: an installed version beside another, on the functions of the project', async () => {
      const { code, stdout, stderr } = await check(
        '--against',
        old,
        '--only',
        names,
        '--budget',
        '20',
        '--json',
      )
      expect([0, 3], stderr).toContain(code)
      const { against, findings } = JSON.parse(stdout)
      expect(against).toContain(`${old} in `)
      expect(against).toContain('core-old; judged: ')
      expect(findings.map(({ key }) => key).sort()).toEqual(names.split(',').sort())
      for (const { verdict } of findings) expect(['good', 'better', 'undecided']).toContain(verdict)
    })

    it('a function that became three times as slow is not good; a path names a version too', async () => {
      const path = join('node_modules', 'core-old')
      const slow = ['--only', 'words_of_a_caption', '--slow', 'words_of_a_caption:3', '--budget', '10']
      const { code, stdout } = await check('--against', path, ...slow)
      // Other processes on this machine decide between the two.
      expect([1, 3]).toContain(code)
      expect(stdout).toMatch(/words_of_a_caption (takes|took) \d\.\d+ times as long/)
      const accepted = await check('--against', path, ...slow, '--accept', 'words_of_a_caption')
      expect([0, 3]).toContain(accepted.code)
    })

    it('says what it cannot do', async () => {
      const misspelt = await check('--against', old, '--only', 'wrods')
      expect(misspelt.code).toBe(2)
      expect(misspelt.stderr).toContain('nothing called "wrods"')
      const nowhere = await check('--against', './nowhere')
      expect(nowhere.code).toBe(2)
      expect(nowhere.stderr).toContain('expected a path, or a version')
      expect((await check()).stderr).toContain('Expected --against')
      const without = await check('--against', old, '--only', 'scale', '--budget', '1')
      expect(without.code).toBe(2)
      expect(without.stdout).toContain('no native addon')
    })
  },
)
