import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeToneClips } from '@sonotext/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, cliJson, notBuilt } from './testing/run-cli.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
let folder: string
let config: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-plugin-'))
  // As in a project of somebody's own: a file beside node_modules, outside of this repository.
  await cp(join(root, 'examples/plugin'), join(folder, 'plugin'), { recursive: true })
  await writeFile(join(folder, 'mine.mjs'), `export { default } from './plugin/index.mjs'\n`)
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')
  await writeToneClips(folder)
  config = join(folder, 'run.json')
  await writeFile(
    config,
    JSON.stringify({
      plugins: ['./mine.mjs'],
      data: { manifest: 'clips.jsonl' },
      features: { type: 'loudness', floor: -60 },
      model: { audio: 'mean-linear', text: { dim: 8 }, similarity: 'pooled' },
      loss: { type: 'triplet', negatives: { type: 'next', by: 2 } },
      guards: ['same-start'],
      training: { epochs: 2, batchSize: 4 },
      validation: { measures: ['top'], monitor: 'top', yardsticks: ['cooled'] },
    }),
  )
})
afterAll(() => rm(folder, { recursive: true }))

describe.skipIf(notBuilt !== null)(`a plugin${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  const at = (name: string): string => join(folder, name)
  const train = (run: string, ...more: string[]) =>
    cli(['train', '--config', config, '--run', at(run), ...more])

  it('of the guide is trained and evaluated with', async () => {
    const guide = await readFile(join(root, 'docs/guide/training.md'), 'utf8')
    const [, code] = /```js\n(\/\/ mine\.mjs\n[^]*?)```/.exec(guide)!
    const [, yaml] = /```yaml\n(plugins: [^]*?)```/.exec(guide)!
    await mkdir(at('guide'))
    await writeFile(at('guide/mine.mjs'), code!)
    await writeFile(at('guide/run.yaml'), yaml!.replace('scenes/manifest.jsonl', '../clips.jsonl'))
    const small = ['model.similarity=pooled', 'model.text.dim=8', 'training.epochs=2', 'training.batchSize=4']
    const set = small.flatMap((key) => ['--set', key])
    const trained = await cli(['train', '--config', at('guide/run.yaml'), '--run', at('guide/run'), ...set])
    expect(trained.code, trained.stderr).toBe(0)
    expect(trained.stdout).toMatch(/best epoch \d+: first/)
    const plugin = ['--plugin', at('guide/mine.mjs')]
    const { textToAudio } = await cliJson<{ textToAudio: object }>([
      ...['evaluate', at('guide/run'), '--measures', 'first,R@1', ...plugin],
    ])
    expect(textToAudio).toEqual({ first: expect.any(Number) as number, 'R@1': expect.any(Number) as number })
    const without = await cli(['metrics', '--run', 'x', '--truth', 'y', '--measures', 'first'])
    expect(without.stderr).toContain('--plugin')
  })

  it('adds parts that are trained with, and gone on with bit for bit', async () => {
    const whole = await train('whole')
    expect(whole.stderr).not.toContain('unexpected')
    expect(whole.code).toBe(0)
    await train('parts', '--set', 'training.epochs=1')
    const resumed = await cli([
      'train',
      '--run',
      at('parts'),
      '--resume',
      '--plugin',
      at('mine.mjs'),
      '--set',
      'training.epochs=2',
    ])
    expect(resumed.stderr).not.toContain('expected')
    expect(resumed.code).toBe(0)
    const [a, b] = await Promise.all(
      ['whole', 'parts'].map((run) => readFile(join(at(run), 'model.safetensors'))),
    )
    expect(b).toEqual(a)
    const log = await readFile(join(at('whole'), 'log.jsonl'), 'utf8')
    expect(log).toContain('"validation.cooled"')
    expect(log).toContain('"validation.textToAudio.top"')
  })

  it('is needed to open the run, which names it and does not load it by itself', async () => {
    const { code, stderr } = await cli(['evaluate', at('whole')])
    expect(code).toBe(2)
    expect(stderr).toMatch(
      /features\.type: expected one of .*got "loudness".*parts of the plugins .*mine\.mjs/is,
    )
    const found = await cliJson<{ textToAudio: Record<string, number> }>([
      ...['evaluate', at('whole'), '--plugin', at('mine.mjs'), '--measures', 'top,R@1'],
    ])
    expect(found.textToAudio['top']).toBe(found.textToAudio['R@1'])
  })

  it('that was given on the command line is named by the run, which says how to give it', async () => {
    const given = await cli([
      ...['train', '--plugin', at('mine.mjs'), '--config', config, '--run', at('by-option')],
      ...['--set', 'plugins=[]', '--set', 'training.epochs=1'],
    ])
    expect(given.code, given.stderr).toBe(0)
    const named = /features\.type: expected one of .*got "loudness".*started with --plugin mine\.mjs/s
    for (const args of [
      ['evaluate', at('by-option')],
      ['compare', at('by-option'), at('by-option')],
      ['train', '--run', at('by-option'), '--resume'],
    ]) {
      const { code, stderr } = await cli(args)
      expect(code).toBe(2)
      expect(stderr).toMatch(named)
    }
  })

  it('is named by a model with its parts', async () => {
    const script = `import { loadModel } from '@sonotext/core'
      const model = process.argv[1]
      const lost = await loadModel(model).catch(({ code, message }) => ({ code, message }))
      const found = await loadModel(model, { plugins: ['./mine.mjs'] })
      console.log(JSON.stringify({ ...lost, kind: found.config.audio.kind }))`
    const { spawnSync } = await import('node:child_process')
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', script, join(at('whole'), 'model.safetensors')],
      { cwd: folder, encoding: 'utf8' },
    )
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual({
      code: 'MISSING_DEPENDENCY',
      kind: 'mean-linear',
      message: expect.stringMatching(
        /the part "mean-linear" of the family audio-encoder comes from the plugin mine\.mjs, which is not loaded/,
      ) as string,
    })
  })

  it('is named in the lines to go on with, which work', async () => {
    const { stdout } = await train('lines')
    const [, line] = /^next: sonotext (.*)$/m.exec(stdout)!
    expect(line).toMatch(/^evaluate .*--plugin \S*mine\.mjs$/)
    const next = await cli(line!.split(' '))
    expect(next.code, next.stderr).toBe(0)
  })

  it('is compared when the run is gone on with', async () => {
    await train('changed', '--set', 'training.epochs=1')
    await writeFile(at('other.mjs'), `export { default } from './plugin/index.mjs' // other`)
    const goOn = (name: string) =>
      cli(['train', '--run', at('changed'), '--resume', '--plugin', at(name), '--set', 'training.epochs=2'])
    const refused = await goOn('other.mjs')
    expect(refused.stderr).toMatch(/plugins\.json: the run was started with another mine\.mjs/)
    expect((await goOn('mine.mjs')).code).toBe(0)
  })

  it('that never comes to its end is an error, not silence', async () => {
    await writeFile(at('hangs.mjs'), 'export default () => new Promise(() => {})')
    const { code, stderr } = await cli(['config', '--plugin', at('hangs.mjs')])
    expect([code, stderr]).toEqual([1, expect.stringContaining('the work has not come to its end')])
  })

  it('is found from the working folder when the command line names it', async () => {
    await mkdir(at('sub'))
    await writeFile(at('sub/run.json'), '{"data":{"manifest":"../none.jsonl"}}')
    const { stderr } = await cli(
      [
        ...['train', '--config', 'sub/run.json', '--run', 'never'],
        ...['--set', 'plugins=["./mine.mjs"]', '--set', 'loss=cooled'],
      ],
      { cwd: folder },
    )
    expect(stderr).toMatch(/none\.jsonl: /)
  })

  it('shows its parts among the keys, and is refused when it is none', async () => {
    const keys = await cliJson<{ key: string; description: string }[]>(['config', '--plugin', at('mine.mjs')])
    expect(keys.find(({ key }) => key === 'loss.type')!.description).toContain('cooled')
    expect(keys.some(({ key }) => key === 'features.floor')).toBe(true)
    await writeFile(at('broken.mjs'), `export default ({ register }) => register('loss', { name: 'x' })`)
    const broken = await cli(['config', '--plugin', at('broken.mjs')])
    expect(broken.stderr).toMatch(
      /broken\.mjs: the plugin cannot be loaded: Expected \{ name, description, schema.*got description, schema, fromConfig missing/,
    )
    await writeFile(
      at('taken.mjs'),
      `export default ({ register }) => register('strategy', { name: 'hard', description: '', schema: { properties: {} }, fromConfig() {} })`,
    )
    expect((await cli(['config', '--plugin', at('taken.mjs')])).stderr).toMatch(
      /"hard", which is there already/,
    )
    expect((await cli(['config', '--plugin', at('none.mjs')])).stderr).toMatch(/there is no such plugin/)
    expect((await cli(['config', '--plugin', 'not-installed'])).stderr).toMatch(
      /plugin not-installed is not installed/,
    )
  })
})
