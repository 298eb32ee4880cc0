import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, vi } from 'vitest'
import { strategies } from '../negatives/index.js'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const guide = await readFile(join(root, 'docs/guide/training.md'), 'utf8')

it('the program of the guide runs and finds what it was trained on', async () => {
  const [, code] = /```ts\n([\s\S]*?)```/.exec(guide)!
  await mkdir(join(root, 'build'), { recursive: true })
  const folder = await mkdtemp(join(root, 'build/guide-'))
  const said = vi.spyOn(console, 'info').mockImplementation(() => {})
  try {
    const program = join(folder, 'program.ts')
    await writeFile(program, code!.replaceAll("'runs/", `'${folder}/`))
    await import(/* @vite-ignore */ program)
    expect(said.mock.calls.flat()[0]).toMatch(/^epoch 1: loss \d/)
    expect(said.mock.calls.flat().at(-1)).toEqual({
      'R@1': expect.any(Number) as number,
      'mAP@10': expect.any(Number) as number,
    })
    expect((await readdir(join(folder, 'first'))).sort()).toEqual([
      'checkpoint.safetensors',
      'model.safetensors',
    ])
  } finally {
    said.mockRestore()
    await rm(folder, { recursive: true })
  }
})

it('the table of the guide has every strategy', () => {
  for (const name of strategies.names) expect(guide).toContain(`\`${name}\``)
})
