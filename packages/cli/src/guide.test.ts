import { readdirSync, readFileSync } from 'node:fs'
import { parseConfig, upgraded } from '@sonotext/core/runs'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { cli, notBuilt } from './testing/run-cli.js'

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
const guide = read('docs/guide/cli.md')
const training = read('docs/guide/training.md')
/** Every page that shows command lines. */
const pages = [
  ...['README.md', 'packages/cli/README.md'].map(read),
  ...readdirSync(new URL('../../../docs/guide', import.meta.url), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => read(`docs/guide/${name}`)),
]

/** Command lines shown to readers, without the prompt. */
const shown = pages
  .flatMap((text) => [...text.matchAll(/```(?:console|sh)\n([^]*?)```/g)])
  .flatMap(([, block]) => [...block!.matchAll(/^(?:\$ )?(?:npx )?sonotext (.+)$/gm)])
  .map(([, line]) => line!)
  // Errors start with the command's name too: `sonotext train: interrupted`.
  .filter((line) => !/^\w+:/.test(line))

describe.skipIf(notBuilt !== null)(`the guide${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  /** Options of every command, as its help names them. */
  const options = new Map<string, string[]>()
  /** The same of commands in two words, such as `relevance fit`. */
  const parts = new Map<string, string[]>()
  beforeAll(async () => {
    const { stdout } = await cli(['--help'])
    const commands = [...stdout.matchAll(/^ {2}([a-z]+) .*/gm)]
      .map(([, name]) => name!)
      .filter((name) => name !== 'help')
    const optionsIn = (help: string): string[] =>
      [...help.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, option]) => option!)
    await Promise.all(
      commands.map(async (name) => {
        const { stdout: help } = await cli([name, '--help'])
        options.set(name, optionsIn(help))
        const [, listed = ''] = /\nCommands:\n([^]*?)(?:\n\n|$)/.exec(help) ?? []
        for (const [, part] of listed.matchAll(/^ {2}([a-z]+) /gm))
          if (part !== 'help')
            parts.set(`${name} ${part!}`, optionsIn((await cli([name, part!, '--help'])).stdout))
      }),
    )
  })

  it('shows commands and options that there are', () => {
    expect(shown.length).toBeGreaterThan(20)
    for (const line of shown) {
      const [name, part] = line.split(' ')
      const known = parts.get(`${name!} ${part!}`) ?? options.get(name!)
      expect(known, line).toBeDefined()
      for (const [option] of line.matchAll(/--[\w-]+/g)) expect(known, line).toContain(option)
    }
  })

  it('has a section for every command and names all its options', () => {
    for (const [name, known] of options) {
      const section = new RegExp(`\\n## ${name}\\n([^]*?)(?=\\n## |$)`).exec(guide)?.[1]
      expect(section, name).toBeDefined()
      // What recordings are read is described once, for every command that reads them.
      const decoding = ['--max-seconds', '--max-expansion', '--accept-cut', '--ffmpeg']
      const global = [
        '--version',
        '--json',
        '--quiet',
        '--plugin',
        '--help',
        '--device',
        '--matmul',
        '--threads',
        ...decoding,
      ]
      // A bank of recordings is described once, under compose.
      const elsewhere = name === 'demo' ? ['--csv', '--activity', '--folds'] : []
      for (const option of known) {
        if (elsewhere.includes(option)) continue
        expect(global.includes(option) ? guide : section, `${name} ${option}`).toContain(option)
      }
    }
  })

  it('shows configurations of the form there is', () => {
    const files = [guide, training].flatMap((text) => [
      ...[...text.matchAll(/^\$ cat \S+\.yaml\n([^$]*)/gm)].map(([, yaml]) => yaml!),
      ...[...text.matchAll(/```yaml\n([^]*?)```/g)].map(([, yaml]) => yaml!),
    ])
    expect(files.length).toBeGreaterThan(2)
    for (const yaml of files) {
      const value = { data: { manifest: 'm.jsonl' }, ...(parse(yaml) as object) }
      // Parts of a plugin are known when it is loaded: plugin.test.ts trains with this one.
      if ('plugins' in value) continue
      // One of 0.1 would be taken for what it meant, and come out as another.
      expect(upgraded(value), yaml).toEqual(value)
      parseConfig(value)
    }
  })

  it('links to sections and files that there are', () => {
    const headings = (text: string): string[] =>
      [...text.matchAll(/^#{2,3} (.+)$/gm)].map(([, title]) => title!.toLowerCase().replaceAll(' ', '-'))
    for (const [, file, anchor] of guide.matchAll(/\]\(([\w-]+\.md)?(?:#([\w-]+))?\)/g)) {
      const target = file === undefined ? guide : read(`docs/guide/${file}`)
      if (anchor !== undefined) expect(headings(target)).toContain(anchor)
    }
  })
})
