import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'

let folder
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'sonotext-gpu-'))))
afterAll(() => rmSync(folder, { recursive: true }))

function run(script, only, variables) {
  const out = join(folder, script)
  const file = fileURLToPath(new URL(script, import.meta.url))
  const { status, stdout, stderr } = spawnSync('bash', [file, '--out', out, '--only', only], {
    env: { ...process.env, ...variables },
    encoding: 'utf8',
  })
  return { status, said: stdout, stderr, out }
}

it.runIf(process.platform === 'linux')(
  'without a GPU the runner builds, says that it did no more, and ends with 3',
  () => {
    const programs = join(folder, 'programs')
    mkdirSync(programs)
    writeFileSync(join(programs, 'nvidia-smi'), '#!/bin/sh\necho "No devices were found"\nexit 6\n', {
      mode: 0o755,
    })
    const { status, said, stderr, out } = run('run.sh', 'conformance,sanitizer,bench,tensor,torch', {
      PATH: `${programs}:${process.env.PATH}`,
    })
    expect({ status, stderr }).toEqual({ status: 3, stderr: '' })
    expect(said).toMatch(/^no GPU: nvidia-smi names none\n/)
    expect(readFileSync(join(out, 'summary.txt'), 'utf8')).toBe(
      'There is no GPU here: nothing else was done.\n',
    )
  },
)

it.runIf(process.platform === 'linux')(
  'without a GPU the Node side says why there is none, and ends with 3',
  () => {
    const { status, said, stderr } = run('node.sh', 'step', { CUDA_VISIBLE_DEVICES: '' })
    expect({ status, stderr }).toEqual({ status: 3, stderr: '' })
    expect(said).toMatch(/^.*CUDA.*\nNothing was done on a GPU\.\n$/)
  },
)
