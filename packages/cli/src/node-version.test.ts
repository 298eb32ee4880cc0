import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { nodeProblem, oldestNode } from './node-version.js'

const root = new URL('../../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const launcher = fileURLToPath(new URL('packages/cli/bin/sonotext.js', root))

/** The launcher in a process that believes to be another version. */
function launch(
  version: string,
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const fake = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })
    Object.defineProperty(process, 'version', { value: 'v${version}' })`
  return new Promise((resolve) => {
    const given = ['--import', `data:text/javascript,${encodeURIComponent(fake)}`, launcher, ...args]
    const child = execFile(process.execPath, given, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode!, stdout, stderr }),
    )
  })
}

it.each(['12.22.12', '20.20.2', '22.12.0'])(
  'Node %s is turned away before anything else',
  async (version) => {
    const { code, stdout, stderr } = await launch(version, 'doctor')
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(
      new RegExp(
        `^sonotext: expected Node\\.js 22\\.13 or newer, found v${version} \\(.*\\)\\.\nInstall a newer one.*\n$`,
      ),
    )
  },
)

it('newer versions go on', async () => {
  for (const version of ['22.13.0', '24.1.0'])
    expect((await launch(version, '--version')).stdout).toMatch(/^\d/)
})

it('the launcher is written so that Node 12 reads it', () => {
  const source = read('packages/cli/bin/sonotext.js')
  const code = source.replace(/\/\/.*|'[^']*'/g, '')
  expect(code).not.toMatch(/\?\.|\?\?|=>|`|\*\*|\b(?:let|const|async|await|class)\b|\bimport\s+[^(]/)
  expect(code).toContain('import()')
})

it('packages, launcher and documents name one version', () => {
  for (const path of ['', 'packages/cli/', 'packages/core-ts/', 'packages/native-cuda/']) {
    const { engines } = JSON.parse(read(`${path}package.json`)) as { engines: { node: string } }
    expect(engines.node).toBe(`>=${oldestNode}`)
  }
  expect(read('packages/cli/bin/sonotext.js')).toContain(`needed = '${oldestNode}'`)
  for (const path of ['README.md', 'CONTRIBUTING.md', 'docs/guide/cli.md']) {
    const named = [...read(path).matchAll(/Node(?:\.js)? \(?(\d+(?:\.\d+)*) or newer/g)].map(
      (match) => match[1],
    )
    expect([path, new Set(named)]).toEqual([path, new Set([oldestNode])])
  }
})

it('doctor puts an old version first', () => {
  expect(nodeProblem('v20.20.2')).toMatch(/^Install Node\.js 22\.13 or newer: this is v20\.20\.2/)
  expect([nodeProblem('v22.13.0'), nodeProblem('v24.9.0')]).toEqual([null, null])
})
