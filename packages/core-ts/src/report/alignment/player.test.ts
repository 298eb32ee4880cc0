import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { calibrationOf, decodeSegments, type ScoreMap } from '../../align/index.js'
import { logMel, type MonoAudio, readMono } from '../../audio/index.js'
import { matrix } from '../../base/index.js'
import { type BrowserPage, chromium, openPage } from '../../testing/browser.js'
import { describeWithRealData } from '../../testing/real-data/index.js'
import { splitPhrases } from '../../text/index.js'
import { alignmentPage } from './alignment-page.js'

const program = chromium()
if (program === null)
  process.stderr.write('The alignment page is not opened in a browser: no chromium on the path.\n')
const shots = process.env.SONOTEXT_SCREENSHOTS

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-player-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Energy below and above 1 kHz, 50 frames a second, in place of a model's scores. */
async function energies(audio: MonoAudio): Promise<ScoreMap> {
  const { sampleRate } = audio
  const mel = logMel('thesis', { sampleRate })
  const { rows, cols, data } = await mel.compute(audio.samples)
  const scores = matrix(rows, 2)
  for (let t = 0; t < rows; t++)
    for (let b = 0; b < cols; b++) scores.data[2 * t + (b < cols / 3 ? 0 : 1)]! += data[t * cols + b]! / cols
  return { scores, frameStep: 0.02, start: 0, end: audio.samples.length / sampleRate }
}

const caption = 'a low sound then a high sound'
const split = splitPhrases(caption)
const phrases = split.phrases.map(({ text }) => text)

interface State {
  readonly now: number
  readonly paused: boolean
  readonly head: number
  readonly boxes: number
  readonly said: string
  readonly value: string
}

const stateOf = (page: BrowserPage) =>
  page.evaluate<State>(`(() => {
    const audio = document.querySelector('audio'), time = document.querySelector('.al-time')
    return {
      now: audio.currentTime,
      paused: audio.paused,
      head: parseFloat(document.querySelector('.al-head').style.left),
      boxes: document.querySelectorAll('.al-segment').length,
      said: document.querySelector('.al-said').textContent,
      value: time.getAttribute('aria-valuetext'),
    }
  })()`)

it.skipIf(program === null)(
  'fits a narrow screen, selects no text when it is dragged, and crosses out no letter',
  { timeout: 120_000 },
  async () => {
    const sampleRate = 16_000
    const samples = Float32Array.from(
      { length: 12 * sampleRate },
      (_, i) => 0.3 * Math.sin((i / sampleRate) * (i < 6 * sampleRate ? 1500 : 15_000)),
    )
    const sound = { samples, sampleRate }
    const map = await energies(sound)
    const calibration = calibrationOf([map], phrases).map((one) => {
      const [floor, top] = [one.quantiles[0]!, one.quantiles.at(-1)!]
      return { ...one, floor, threshold: (floor + top) / 2 }
    })
    const segments = decodeSegments(map, phrases, { calibration })
    expect(segments.length).toBeGreaterThan(0)
    const path = join(folder, 'narrow.html')
    const about = { title: caption, audio: sound, phrases, segments, map, calibration, split }
    await writeFile(path, await alignmentPage({ ...about, thresholds: { recordings: 64 } }))
    await using page = await openPage(program!, pathToFileURL(path).href)
    for (const width of [360, 1200]) {
      await page.resize(width)
      const wide = await page.evaluate<string[]>(
        `[document.documentElement, ...document.querySelectorAll('.table, .al-time')].filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.className || e.tagName)`,
      )
      expect(wide, `${width} px`).toEqual([])
      if (shots !== undefined) await page.screenshot(join(shots, `alignment-${width}.png`))
    }
    await page.drag('.al-ticks', 0.1, 0.9)
    expect(await page.evaluate<string>('String(getSelection())')).toBe('')
    // Where the head could be hit it would be, if it stood above the words.
    const hit = await page.evaluate<string[]>(`(() => {
      const head = document.querySelector('.al-head')
      head.style.pointerEvents = 'auto'
      head.style.left = '0%'
      return [...document.querySelectorAll('.al-name, .al-ticks, .al-lane')].map((e) => {
        e.scrollIntoView({ block: 'center' })
        const { left, top, height } = e.getBoundingClientRect()
        return document.elementFromPoint(left + 1, top + height / 2).className
      })
    })()`)
    expect(hit.map((name) => name === 'al-head')).toEqual([false, false, true, false, true])
  },
)

describeWithRealData('the page of three recordings in a browser', (data) => {
  it.skipIf(program === null)(
    'plays, seeks, and cuts anew, by mouse and by keyboard',
    { timeout: 240_000 },
    async () => {
      const audio = join(data, 'esc10/audio')
      const files = (await readdir(audio)).filter((name) => /^4-.*-(?:0|1|40)\.wav$/.test(name)).sort()
      const chosen = [files[0]!, files[Math.floor(files.length / 2)]!, files.at(-1)!]
      for (const [i, file] of chosen.entries()) {
        const sound = await readMono(join(audio, file))
        const map = await energies(sound)
        const segments = decodeSegments(map, phrases)
        const path = join(folder, `${i}.html`)
        await writeFile(
          path,
          await alignmentPage({ title: file, audio: sound, phrases, segments, map, split }),
        )
        await using page = await openPage(program!, pathToFileURL(path).href)
        const shot = async (name: string) => {
          if (shots !== undefined) await page.screenshot(join(shots, `alignment-${i + 1}-${name}.png`))
        }
        const duration = sound.samples.length / sound.sampleRate
        await page.until('document.querySelector("audio").readyState >= 2')
        const begin = await stateOf(page)
        expect(begin).toMatchObject({ now: 0, paused: true, head: 0, boxes: segments.length })
        // The spectrogram and the lanes are drawn: something of them is not one colour.
        for (const canvas of ['.al-spectrum', '.al-lane canvas'])
          expect(
            await page.evaluate<number>(
              `(() => { const c = document.querySelector(${JSON.stringify(canvas)}); return new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size })()`,
            ),
          ).toBeGreaterThan(8)
        await shot('1-begin')
        await page.click('.al-spectrum', 0.6)
        await page.until('document.querySelector(".al-head").style.left !== "0%"')
        const sought = await stateOf(page)
        expect(sought.now).toBeCloseTo(0.6 * duration, 1)
        expect(sought.head).toBeCloseTo(60, 0)
        await page.evaluate('document.querySelector(".al-time").focus()')
        await page.press('Space')
        await page.until(`document.querySelector('audio').currentTime > ${sought.now + 0.3}`)
        const playing = await stateOf(page)
        expect(playing.paused).toBe(false)
        expect(playing.head).toBeGreaterThan(sought.head)
        await shot('2-playing')
        await page.press('Space')
        await page.until("document.querySelector('audio').paused")
        const paused = await stateOf(page)
        await page.press('ArrowLeft')
        expect((await stateOf(page)).now).toBeCloseTo(paused.now - 0.5, 1)
        await page.evaluate("document.querySelector('.al-threshold').scrollIntoView()")
        await page.drag('.al-threshold', 0.42, 0.05)
        await page.until("document.querySelector('output').textContent < '0.25'")
        const low = await stateOf(page)
        await shot('3-low')
        await page.drag('.al-threshold', 0.05, 1)
        await page.until("document.querySelector('output').textContent === '1.00'")
        const high = await stateOf(page)
        await shot('4-high')
        for (const { boxes, said } of [begin, low, high]) expect(boxes).toBe(Number(/^\d+/.exec(said)?.[0]))
        expect(low.boxes).toBeGreaterThan(0)
        expect(low.said).not.toBe(high.said)
        // The button of a segment plays it from its beginning.
        await page.drag('.al-threshold', 0.98, 0.05)
        await page.click('.al-list button')
        await page.until("!document.querySelector('audio').paused")
        const onset = await page.evaluate<number>(
          "Number(/([\\d.]+)–/.exec(document.querySelector('.al-list button').textContent)[1])",
        )
        const { now } = await stateOf(page)
        expect(now - onset).toBeGreaterThan(-0.02)
        expect(now - onset).toBeLessThan(2)
      }
    },
  )
})
