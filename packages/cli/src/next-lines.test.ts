import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { tinyRun, writeToneClips } from '@sonotext/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pathArgument, shellLine } from './shell-line.js'
import { cli, launcher, notBuilt, start } from './testing/run-cli.js'

const run = promisify(execFile)

let folder: string
/** Works in a folder that a shell would take apart. */
let home: string
let programs: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-next-'))
  home = join(folder, "Bob's sounds & $HOME")
  programs = join(folder, 'bin')
  await mkdir(join(home, 'clips'), { recursive: true })
  await mkdir(programs)
  await program('sonotext', `exec ${shellLine(process.execPath, launcher)} "$@"`)
  // Nothing is installed by a test: what would be asked of npm is shown instead.
  await program('npm', 'echo "npm $* in $PWD"')
  await writeToneClips(join(home, 'clips'), { splits: { train: 12, 'held back': 6 } })
  const data = { manifest: 'clips/clips.jsonl', validationSplit: 'held back' }
  await writeFile(join(home, 'run.json'), JSON.stringify({ ...tinyRun, data }))
})
afterAll(() => rm(folder, { recursive: true }))

async function program(name: string, body: string): Promise<void> {
  await writeFile(join(programs, name), `#!/bin/sh\n${body}\n`)
  await chmod(join(programs, name), 0o755)
}

/** Runs a line as someone who copies it. */
async function shell(line: string): Promise<string> {
  const env = { ...process.env, PATH: `${programs}${delimiter}${process.env.PATH ?? ''}` }
  const { stdout } = await run('sh', ['-c', line], { cwd: home, env })
  return stdout
}

async function nextOf(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(args, { cwd: home })
  expect([code, stderr]).toEqual([0, expect.any(String)])
  const [, line] = /^next: (.*)$/m.exec(stdout) ?? []
  expect(line, stdout).toBeDefined()
  return line!
}

it('words that a shell reads are quoted, others left alone', () => {
  expect(shellLine('sonotext', 'check', 'a/Söunds_1.jsonl', '--set', 'a.b=c')).toBe(
    'sonotext check a/Söunds_1.jsonl --set a.b=c',
  )
  if (process.platform === 'win32') expect(shellLine('a b')).toBe('"a b"')
  else expect(shellLine('', 'a b', "it's", '$(x)', '~')).toBe(String.raw`'' 'a b' 'it'\''s' '$(x)' '~'`)
  expect([pathArgument('-x.jsonl'), pathArgument('x')]).toEqual(['./-x.jsonl', 'x'])
})

it('every command that says what comes next is run below', async () => {
  const commands = new URL('../src/commands/', import.meta.url)
  const names = (await readdir(commands, { recursive: true })).filter((name) => name.endsWith('.ts'))
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, commands), 'utf8')))
  const saying = names.filter((_, i) => /next: |go on with: /.test(texts[i]!))
  expect(saying.toSorted()).toEqual(['compose.ts', 'import.ts', 'init.ts', 'train.ts'])
})

describe.skipIf(notBuilt !== null || process.platform === 'win32')(
  `lines that say what comes next${notBuilt === null ? '' : ` (${notBuilt})`}`,
  () => {
    it.each(['all.jsonl', '-all.jsonl', 'all of it.jsonl'])('import --out %s', async (out) => {
      const next = await nextOf('import', '--from', 'folder', 'clips/audio', '--out', out)
      expect(await shell(next)).toMatch(/^18 clips .*\nno bad clip$/m)
    })

    it('compose: check, or train into a folder that is free', async () => {
      const composed = (out: string, ...splits: string[]) =>
        nextOf('compose', '--out', out, '--duration', '3', ...splits.flatMap((split) => ['--split', split]))
      expect(await shell(await composed('only a test', 'test=2'))).toMatch(/^2 clips \(test 2\)/m)
      await mkdir(join(home, 'runs', 'first'), { recursive: true })
      await writeFile(join(home, 'runs', 'first', 'run.json'), '{}')
      const next = await composed('some scenes', 'train=4', 'validation=2')
      expect(next).toContain('runs/first-2')
      expect(await shell(`${next} --set training.epochs=1 --set training.batchSize=2`)).toMatch(
        /^2 steps, 1 epoch /m,
      )
    }, 300_000)

    it('train: evaluate, on a split that there is', async () => {
      const next = await nextOf('train', '--config', 'run.json', '--run', 'my run')
      expect(next).toBe("sonotext evaluate 'my run' --split 'held back'")
      expect(await shell(next)).toContain('mAP@10')
    }, 300_000)

    it('train, stopped: go on', async () => {
      const long = ['--set', 'training.epochs=400']
      const running = start(['train', '--config', 'run.json', '--run', 'stopped run', ...long], { cwd: home })
      await running.said('epoch 2 ·')
      running.child.kill('SIGINT')
      const { stderr } = await running.outcome
      const [, line] = /go on with: (.*)$/m.exec(stderr)!
      expect(await shell(`${line} --set training.epochs=3`)).toContain('run: stopped run')
    }, 300_000)

    it('init: install and start where the project is', async () => {
      const next = await nextOf('init', 'my project')
      expect((await shell(next)).split('\n')).toEqual([
        `npm install in ${join(home, 'my project')}`,
        `npm start in ${join(home, 'my project')}`,
        '',
      ])
    })
  },
)
