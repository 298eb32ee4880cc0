import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

it('every public name is documented, and links of its text lead to public names', () => {
  const typedoc = join(root, 'node_modules', 'typedoc', 'bin', 'typedoc')
  const options = ['--options', join(root, 'tools', 'docs', 'typedoc.json'), '--emit', 'none']
  const { status, stdout, stderr } = spawnSync(process.execPath, [typedoc, ...options], { encoding: 'utf8' })
  const said = `${stdout}${stderr}`.split('\n').filter((line) => /warning|error/.test(line))
  expect(said).toEqual([])
  expect(status).toBe(0)
})
