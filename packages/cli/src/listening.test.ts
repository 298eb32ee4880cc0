import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { writeWav } from '@sonotext/core'
import { parseRatings } from '@sonotext/core/relevance'
import { type BrowserPage, chromium, openPage } from '@sonotext/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, cliJson, notBuilt } from './testing/run-cli.js'

const program = chromium()
const why = notBuilt ?? (program === null ? 'no chromium on the path' : null)
if (why !== null) process.stderr.write(`The listening test is not opened in a browser: ${why}.\n`)

let folder: string
let page: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-listening-'))
  const names = ['dog', 'rain', 'bell', 'car', 'bird', 'clock']
  for (const [i, name] of names.entries()) {
    const samples = Float32Array.from({ length: 16_000 }, (_, t) => 0.3 * Math.sin((t * (i + 2)) / 20))
    await writeWav(join(folder, `${name}.wav`), samples, 16_000)
  }
  const manifest = join(folder, 'manifest.jsonl')
  const lines = names.map((id) =>
    JSON.stringify({ id, audio: `${id}.wav`, captions: [`A ${id}, "near", and <b>loud</b>`] }),
  )
  await writeFile(manifest, `${lines.join('\n')}\n`)
  if (why !== null) return
  page = join(folder, 'test')
  const report = await cliJson<{ raters: { lists: number }[] }>([
    ...['relevance', 'page', manifest, '--out', page, '--queries', '4', '--candidates', '1'],
    ...['--raters', '4', '--raters-each', '2', '--least-seconds', '0.4', '--title', 'Do they fit?'],
  ])
  expect(report.raters.map(({ lists }) => lists)).toEqual([2, 2, 2, 2])
})
afterAll(() => rm(folder, { recursive: true }))

describe.skipIf(notBuilt !== null)('the folder of a listening test', () => {
  const write = (out: string, ...more: string[]) =>
    cli(['relevance', 'page', join(folder, 'manifest.jsonl'), '--out', out, '--candidates', '1', ...more])

  it('says how controls were chosen, is replaced by another test, and no file of something else is', async () => {
    const out = join(folder, 'own')
    expect((await write(out)).stdout).toMatch(
      /controls: clips of least similar captions \(0\.\d\d of 1 at most/,
    )
    const about = await readFile(join(out, 'README.txt'), 'utf8')
    expect(about).toMatch(/Lists: 6, .*1 candidates[^]*Controls: The control .* least similar[^]*seed 17/)
    await writeFile(join(out, 'audio', 'notes.txt'), 'mine')
    expect((await write(out, '--seed', '3')).code).toBe(0)
    const recordings = await readdir(join(out, 'audio'))
    // Of the first test's recordings none is left; what it did not write is.
    expect(recordings).toHaveLength(7)
    expect(recordings).toContain('notes.txt')
    for (const name of ['index.html', 'README.txt', 'audio']) {
      const foreign = join(folder, `foreign-${name}`)
      await mkdir(foreign)
      await writeFile(join(foreign, name), 'mine')
      const { code, stderr } = await write(foreign)
      expect([code, stderr]).toEqual([1, expect.stringMatching(`foreign-${name} has ${name} already`)])
      expect(await readFile(join(foreign, name), 'utf8')).toBe('mine')
      expect(await readdir(foreign)).toEqual([name])
    }
  })

  it('warns of controls that may fit and of relevance of other data, and writes nothing without a recording', async () => {
    const same = join(folder, 'same.jsonl')
    const lines = ['dog', 'rain', 'bell'].map((id) =>
      JSON.stringify({ id, audio: `${id}.wav`, captions: ['rain falls on a roof and', `rain ${id}`] }),
    )
    await writeFile(same, `${lines.join('\n')}\n`)
    const alike = ['relevance', 'page', same, '--candidates', '1', '--queries', '9']
    const { stderr } = await cli([...alike, '--out', join(folder, 'alike')])
    expect(stderr).toMatch(/6 captions to rate, not 9/)
    expect(stderr).toMatch(/6 lists with a control whose captions are much like/)
    const relevance = join(folder, 'relevance-of-others.csv')
    await writeFile(relevance, 'query,item,relevance\nx,y,1\n')
    const others = await cli([...alike, '--out', join(folder, 'others'), '--relevance', relevance])
    expect(others).toMatchObject({ code: 1, stderr: expect.stringMatching(/others\.csv.*"x" with "y"/) })
    const lost = join(folder, 'lost.jsonl')
    await writeFile(lost, lines.join('\n').replace('bell.wav', 'lost.wav'))
    const missing = await cli(['relevance', 'page', lost, '--candidates', '1', '--out', join(folder, 'lost')])
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringMatching(/lost\.wav: could not copy/) })
    expect(existsSync(join(folder, 'lost'))).toBe(false)
  })
})

const address = () => pathToFileURL(join(page, 'index.html')).href
const shots = process.env.SONOTEXT_SCREENSHOTS
const shot = async (browser: BrowserPage, name: string) => {
  if (shots !== undefined) await browser.screenshot(join(shots, `${name}.png`))
}
const table = (browser: BrowserPage) => browser.evaluate<string>("document.querySelector('textarea').value")
const clip = (number: number) => `section.clip:nth-of-type(${number})`
const isOpen = (number: number) => `!document.querySelector('${clip(number)} input[type=range]').disabled`

describe.skipIf(why !== null)(`a listening test in a browser${why === null ? '' : ` (${why})`}`, () => {
  it('from the first clip to the table, by mouse, over a reload', { timeout: 240_000 }, async () => {
    await using browser = await openPage(program!, address())
    await shot(browser, 'listening-1-begin')
    await browser.click('button.main')
    await browser.until("document.querySelectorAll('section.clip').length === 3")
    expect(await browser.evaluate("document.querySelector('.query').textContent")).toMatch(
      /"near", and <b>loud<\/b>/,
    )
    // Nothing can be rated, and nobody can go on, before the clips were listened to.
    expect(
      await browser.evaluate("[...document.querySelectorAll('input[type=range]')].every((e) => e.disabled)"),
    ).toBe(true)
    expect(await browser.evaluate("document.querySelector('button.main').disabled")).toBe(true)
    await shot(browser, 'listening-2-locked')
    for (const number of [1, 2, 3]) {
      await browser.click(`${clip(number)} button`)
      await browser.until(isOpen(number))
      const playing = "[...document.querySelectorAll('audio')].filter((a) => !a.paused).length"
      expect(await browser.evaluate(playing)).toBeLessThanOrEqual(1)
      await browser.click(`${clip(number)} input[type=range]`)
    }
    await shot(browser, 'listening-3-rated')
    await browser.until("!document.querySelector('button.main').disabled")
    await browser.click('button.main')
    await browser.until("document.querySelector('h2').textContent === 'Sentence 2 of 2'")
    await browser.click(`${clip(1)} button`)
    await browser.until(isOpen(1))
    await browser.click(`${clip(1)} input[type=range]`)
    const rated = `document.querySelector('${clip(1)} input[type=number]').value`
    const before = await browser.evaluate<string>(rated)
    await browser.reload()
    await browser.click('button.main')
    // The first sentence is done and the rating of the second's first clip is there.
    await browser.until("document.querySelector('h2').textContent === 'Sentence 2 of 2'")
    expect(await browser.evaluate(rated)).toBe(before)
    for (const number of [2, 3]) {
      await browser.click(`${clip(number)} button`)
      await browser.until(isOpen(number))
      await browser.click(`${clip(number)} input[type=range]`)
    }
    await browser.until("!document.querySelector('button.main').disabled")
    await browser.click('button.main')
    await browser.until("document.querySelector('textarea')")
    await shot(browser, 'listening-4-table')
    const { ratings } = parseRatings(await table(browser), 'ratings.csv')
    expect(ratings).toHaveLength(6)
    for (const { rater, rating, played, group } of ratings) {
      expect(rater).toBe('rater-1')
      expect(rating).toBeGreaterThan(30)
      expect(played).toBeGreaterThan(0.3)
      expect(['TP', 'TN', 'C']).toContain(group)
    }
    await writeFile(join(folder, 'ratings-rater-1.csv'), await table(browser))
  })

  it(
    'with the keyboard alone, a rating of 0 among them; the tables of both are imported',
    { timeout: 240_000 },
    async () => {
      await using browser = await openPage(program!, address())
      const focused = () =>
        browser.evaluate<string>(
          "(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent).trim()",
        )
      /** Goes from one control to the next until one has this name. */
      const tabTo = async (name: RegExp) => {
        for (let steps = 0; steps < 40; steps++) {
          if (name.test(await focused())) return
          await browser.press('Tab')
        }
        throw new Error(`Expected to reach ${name} by Tab, got ${await focused()}`)
      }
      await browser.evaluate('document.body.focus()')
      await browser.press('Tab', 'ArrowDown')
      await tabTo(/^Begin$/)
      await browser.press('Enter')
      for (const sentence of [1, 2]) {
        await browser.until(`document.querySelector('h2').textContent === 'Sentence ${sentence} of 2'`)
        for (const number of [1, 2, 3]) {
          await tabTo(new RegExp(`^Play recording ${number}$`))
          await browser.press('Space')
          await browser.until(isOpen(number))
          await tabTo(new RegExp(`^Recording ${number}: how well`))
          if (number === 1) await browser.press('End')
          if (number === 2) await browser.press('ArrowRight', 'ArrowRight', 'ArrowRight')
          if (number === 3) await browser.press('Enter')
          if (sentence === 1 && number === 2) await shot(browser, 'listening-5-keyboard')
        }
        await browser.until("document.querySelector('[role=status]').textContent === 'All rated.'")
        await tabTo(/^(Next sentence|Finish)$/)
        await browser.press('Enter')
      }
      await browser.until("document.querySelector('textarea')")
      expect(await focused()).toBe('Thank you')
      const { ratings } = parseRatings(await table(browser), 'ratings.csv')
      expect(new Set(ratings.map(({ rater }) => rater))).toEqual(new Set(['rater-2']))
      expect(ratings.map(({ rating }) => rating).sort((a, b) => a - b)).toEqual([0, 0, 3, 3, 100, 100])
      await writeFile(join(folder, 'ratings-rater-2.csv'), await table(browser))
      const out = join(folder, 'relevance.csv')
      const imported = await cli([
        ...[
          'relevance',
          'import',
          join(folder, 'ratings-rater-1.csv'),
          join(folder, 'ratings-rater-2.csv'),
          '--out',
          out,
        ],
      ])
      expect(imported.code).toBe(0)
      expect(await readFile(out, 'utf8')).toMatch(/^query,item,relevance,/)
    },
  )
})
