import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { calibrationOf, decodeSegments, type ScoreMap } from '../../align/index.js'
import { matrix } from '../../base/matrix.js'
import { Rng } from '../../base/rng.js'
import { splitPhrases } from '../../text/index.js'
import { alignmentPage, type AlignmentPageOptions } from './alignment-page.js'
import { playerScript } from './player-script.js'

const sampleRate = 16_000
const caption = `A dog </script><b>barks</b>, then "rain" falls`
const split = splitPhrases(caption)
const phrases = split.phrases.map(({ text }) => text)
const rng = new Rng(1)
const audio = { samples: Float32Array.from({ length: 2 * sampleRate }, () => 0.1 * rng.normal()), sampleRate }
const map: ScoreMap = {
  scores: matrix(
    20,
    phrases.length,
    Float32Array.from({ length: 20 * phrases.length }, () => rng.uniform()),
  ),
  frameStep: 0.1,
  start: 0,
}
const plain = { median: 0, maxGap: 0.2, minLength: 0.1, hysteresis: 0.1 }
const segments = decodeSegments(map, phrases, plain)
const page = (more: Partial<AlignmentPageOptions> = {}) =>
  alignmentPage({ title: 'A <dog>', audio, phrases, segments, map, split, settings: plain, ...more })

describe('the alignment page', () => {
  it('has the caption with its phrases, the sound, a lane for each phrase and the segments', async () => {
    const text = await page()
    expect(text).toContain('<h1>A &lt;dog&gt;</h1>')
    expect(text).not.toContain('</script><b>')
    expect(text.match(/class="al-phrase"/g)).toHaveLength(phrases.length)
    expect(text.match(/class="al-lane"/g)).toHaveLength(phrases.length)
    expect(text).toContain('src="data:audio/wav;base64,UklGR')
    expect(text.match(/<tr><th scope="row"/g)).toHaveLength(segments.length)
    expect(text).not.toMatch(/(?:src|href)="(?:https?:|\/)/)
  })

  it('is the same for the same alignment', async () => {
    expect(await page()).toBe(await page())
  })

  it('says where thresholds come from, and whether order words bind', async () => {
    const calibration = calibrationOf([map], phrases)
    expect(await page()).toContain('every phrase has a best place, whether it is there or not')
    expect(await page({ calibration, thresholds: { recordings: 64 } })).toContain(
      'by what it scores in 64 recordings without labels',
    )
    expect(await page()).toContain('without a joint decode nothing keeps the segments to “then”.')
    expect(await page({ joint: true })).toContain(
      'Joint decode: what does not keep to “then” is given up, and counts as not there.',
    )
    const { caption, phrases: own } = splitPhrases('A dog, rain')
    const unordered = await page({ split: { caption, phrases: own } })
    expect(unordered).not.toMatch(/Joint decode:|without a joint decode/)
  })

  it('names phrases where no caption was given', async () => {
    expect(await alignmentPage({ title: 'T', audio, phrases, segments, map })).toMatch(
      /al-caption"><span class="al-phrase"[^>]*>A dog/,
    )
  })

  it('refuses sound of more than 20 minutes, no sound, and scores of other phrases', async () => {
    const hour = { samples: new Float32Array(1201 * 100), sampleRate: 100 }
    await expect(page({ audio: hour })).rejects.toMatchObject({ code: 'TOO_LONG' })
    await expect(page({ audio: { samples: new Float32Array(), sampleRate } })).rejects.toThrow(
      /Expected sound/,
    )
    await expect(page({ phrases: ['a'] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  it('cuts at a moved threshold as the library does', () => {
    const body = /function cut\(values, threshold\) \{[^]*?\n\}/.exec(playerScript)![0]
    for (const threshold of [0.2, 0.5, 0.8]) {
      const column = Array.from({ length: 20 }, (_, t) => map.scores.data[t * phrases.length]!)
      const [low, high] = [Math.min(...column), Math.max(...column)]
      const values = Float32Array.from(column, (value) => (value - low) / (high - low))
      const context = { values, threshold, settings: plain, frameStep: 0.1, start: 0, duration: 2 }
      const found = runInNewContext(`${body}; cut(values, threshold)`, context) as [number, number][]
      const wanted = decodeSegments(map, phrases, { ...plain, threshold }).filter(
        ({ phrase }) => phrase === phrases[0],
      )
      expect(found.length).toBeGreaterThan(0)
      expect(found.map((span) => span.map((s) => s.toFixed(6)))).toEqual(
        wanted.map(({ onset, offset }) => [onset.toFixed(6), offset.toFixed(6)]),
      )
    }
  })
})
