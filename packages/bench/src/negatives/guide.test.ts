import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { strategies } from '@sonotext/core/negatives'
import { describe, expect, it } from 'vitest'
import { leaderText, pText } from './answers.js'
import type { BankReport } from './report.js'

const root = new URL('../../../../docs/', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const overview = read('guide/negatives.md')

type Row = Readonly<Record<string, string>>
const [header, ...lines] = read('results/negatives/results.csv').trim().split('\n')
const rows = lines.map((line): Row => {
  const cells = line.split(',')
  return Object.fromEntries(header!.split(',').map((name, i) => [name, cells[i]!]))
})

/** What a page says of a strategy in one setting, from the committed results. */
function saidOf(bank: string, setting: string, strategy: string): string | null {
  const own = rows.filter(
    (row) =>
      row['bank'] === bank &&
      row['setting'] === setting &&
      row['strategy'] === strategy &&
      row['test'] === 'scenes' &&
      row['measure'] === 'mAP@10',
  )
  if (own.length === 0) return null
  const value = (direction: string): string => {
    const row = own.find((one) => one['direction'] === direction)!
    const [mean, low, high] = ['mean', 'low', 'high'].map((key) => Number(row[key]).toFixed(3))
    return `${mean} (${low}–${high})`
  }
  const seeds = own[0]!['seeds']!
  return `${bank} sounds, setting _${setting}_: mAP@10 ${value('textToAudio')} text → audio, ${value('audioToText')} audio → text, ${seeds} seed${seeds === '1' ? '' : 's'}`
}

describe.each(strategies.names)('the page of %s', (name) => {
  const page = `guide/strategies/${name}.md`
  it('is there, is in the overview, and tells formula, picture, configuration, cost and when it fails', () => {
    expect(existsSync(new URL(page, root))).toBe(true)
    const text = read(page)
    expect(text).toMatch(new RegExp(`^# ${name}\n\n[^#]+\n\`\`\`\n[^#]+\n\`\`\`\n`))
    expect(text).toContain(`type: ${name}`)
    expect(text).toMatch(/\n## Cost\n\n\S[^]*\n## When it fails\n\n\S[^]*\n## Numbers\n\n\S/)
    expect(overview).toContain(`(strategies/${name}.md)`)
  })

  it('has the numbers of the committed results', () => {
    const setting = strategies.build(name).earlierPairs === undefined ? 'main' : 'pooled'
    const said = [setting, 'crnn'].flatMap((one) =>
      ['procedural', 'recorded'].flatMap((bank) => saidOf(bank, one, name) ?? []),
    )
    const text = read(page)
    for (const line of said) expect(text).toContain(line)
    expect(text.match(/mAP@10/g) ?? []).toHaveLength(said.length)
  })
})

it('no page is of a strategy that there is not', () => {
  const pages = readdirSync(new URL('guide/strategies/', root)).map((file) => file.replace(/\.md$/, ''))
  expect(pages.sort()).toEqual([...strategies.names].sort())
})

function committed(): { readonly banks: readonly Pick<BankReport, 'bank' | 'settings'>[] } {
  return JSON.parse(read('results/negatives/results.json')) as ReturnType<typeof committed>
}

/** Which strategies ended collapsed in which settings, from the committed results. */
function collapsed(): { bank: string; setting: string; strategy: string }[] {
  return committed().banks.flatMap(({ bank, settings }) =>
    settings.flatMap(({ setting, rows }) =>
      rows
        .filter(({ collapse }) => collapse.seeds > 0)
        .map(({ variant }) => ({ bank, setting: setting.name, strategy: variant })),
    ),
  )
}

it.each(['results/negatives/answers.md', 'results/README.md', 'papers.md', 'guide/strategies/hard.md'])(
  '%s tells of every setting in which hard collapsed',
  (page) => {
    const text = read(page).replaceAll('\n', ' ')
    expect(text).not.toMatch(/none collapsed|frozen tower (neither|cross-modal hard does not)/)
    const all = collapsed()
    expect(all.map(({ strategy }) => strategy)).toEqual(all.map(() => 'hard'))
    for (const { bank, setting } of all) {
      expect(text).toContain(`over ${bank} sounds`)
      expect(text).toMatch(
        setting === 'crnn'
          ? /encoder\s+from scratch|CRNN/
          : new RegExp(setting.replace('batch', 'batches of')),
      )
    }
  },
)

it('the tables of the results have the ps of the committed numbers, and those that are bounds as bounds', () => {
  const lines = read('results/negatives/README.md').split('\n')
  let heading = ''
  const said = new Map<string, string>()
  for (const line of lines) {
    if (line.startsWith('## ')) heading = line.slice(3)
    const [, strategy, , , , p] = line.split('|').map((cell) => cell.trim())
    if (p !== undefined) said.set(`${heading}: ${strategy!}`, p)
  }
  for (const { bank, settings } of committed().banks)
    for (const { setting, rows: all } of settings)
      for (const { variant, againstRandom } of all) {
        if (againstRandom === null) continue
        const { textToAudio, audioToText } = againstRandom.scenes
        const title = bank === 'recorded' ? `${setting.name}, recorded sounds` : setting.name
        const ps = [textToAudio, audioToText].map((own) => pText(own).replace('= ', '')).join(' / ')
        expect(said.get(`${title}: ${variant}`), title).toBe(ps)
      }
})

it('the answers name those that are not told apart from the best', () => {
  const main = committed().banks[0]!.settings.find(({ setting }) => setting.name === 'main')!
  const [, names] = /not told apart from it: (.*)$/.exec(leaderText(main))!
  const paragraph = read('results/negatives/answers.md')
    .split('\n\n')
    .find((text) => text.startsWith('**Which is best'))!
  for (const name of names!.split(', ')) expect(paragraph.split('Caption-rules')[0]).toContain(name)
  expect(names!.split(', ')).toHaveLength(3)
})
