import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openBackend, referenceBackend } from '@sonotext/core/backend'
import { matrix, Rng } from '@sonotext/core/base'
import type { Clip } from '@sonotext/core/data'
import { loadPlugins } from '@sonotext/core/runs'
import { afterAll, describe, expect, it } from 'vitest'
import { helpOf } from '../run-suite.js'
import { answersOf, leaderText, pText } from './answers.js'
import { runCell } from './cell.js'
import { cellFile, foundCells, keptCosts, readCell, writeCell } from './cells.js'
import { type CostCell, measureCosts } from './cost.js'
import type { StudyData } from './data.js'
import { alignmentOf, geometryOf } from './geometry.js'
import { difference, estimate, leastP } from './intervals.js'
import { optionSpecs, studyOptions } from './options.js'
import { allVariants, type Cell, cellsOf, plan, type Setting } from './plan.js'
import { studyPage } from './report.js'
import { checkOnly, shownCommand } from './study.js'
import { isCollapsed, type SettingSummary, summarise } from './summary.js'

const folder = mkdtempSync(join(tmpdir(), 'sonotext-study-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Clips of two of six sounds, and vectors in which both can be heard. */
function smallData(): StudyData {
  const sounds = ['dog', 'rain', 'clock', 'engine', 'bird', 'bell']
  const clipsOf = (take: string): Clip[] =>
    sounds.flatMap((a, i) =>
      sounds.slice(i + 1).map((b) => {
        const id = `${a}-${b}-${take}`
        const captions = [{ id: `${id}#1`, text: `a ${a} and a ${b}` }]
        return { id, audio: id, captions, events: [] }
      }),
    )
  const groups = ['train', 'more', 'validation', 'scenes', 'singles'].map(clipsOf)
  const frames = new Map(
    groups.flat().map(({ id }) => {
      const [a, b] = id.split('-').map((sound) => new Rng(0, sound))
      const noise = new Rng(1, id)
      const heard = Float32Array.from({ length: 12 }, () => a!.normal() + b!.normal() + 0.3 * noise.normal())
      return [id, matrix(1, 12, heard)] as const
    }),
  )
  const [train, more, validation, scenes, singles] = groups as [Clip[], Clip[], Clip[], Clip[], Clip[]]
  return {
    bank: 'small',
    train: [...train, ...more],
    validation,
    tests: { scenes, singles },
    features: ({ id }) => frames.get(id)!,
    cols: 12,
    frameStep: 1,
    classes: new Map(groups.flat().map(({ id }) => [id, new Set(id.split('-').slice(0, 2))])),
  }
}

const setting: Setting = {
  ...plan({ full: true, bank: 'small', seeds: 3 })[0]!,
  variants: ['random', 'hard', 'full-batch', 'info-nce'],
  batchSize: 8,
  epochs: 4,
}
const about = { hearing: 'test', size: {} }
const made = { command: 'a test', commit: '0', date: '2026-01-01' }

describe('a cell', () => {
  const backend = referenceBackend()
  const data = smallData()
  const cell = (variant: string, seed = 17): Cell => ({ setting, variant, seed })

  it('learns, and is the same numbers each time', async () => {
    const first = await runCell(cell('full-batch'), data, backend)
    expect(await runCell(cell('full-batch'), data, backend)).toEqual(first)
    const { epochs } = first
    expect(epochs.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3, 4])
    expect(epochs.at(-1)!.quality).toBeGreaterThan(2 * epochs[0]!.quality)
    expect(first.tests.scenes.textToAudio['R@1']).toHaveLength(15)
    for (const { meanCosine, effectiveRank, chosen } of epochs) {
      expect(Math.abs(meanCosine)).toBeLessThanOrEqual(1)
      expect(effectiveRank).toBeGreaterThanOrEqual(1)
      // All are chosen: half of the others are easier. Of 30 clips each has one twin of the same classes.
      expect(chosen!.percentile).toBeCloseTo(0.5, 5)
      expect(chosen!.false).toBeCloseTo(1 / 29, 2)
      // 16 of 29 share one class of three, one both, twelve none.
      expect(chosen!.overlap).toBeCloseTo((16 / 3 + 1) / 29, 1)
    }
  })

  it('says what hard negatives are, and sees the collapse that they bring about here', async () => {
    const { epochs } = await runCell(cell('hard'), data, backend)
    expect(epochs[0]!.chosen!.percentile).toBeGreaterThan(0.98)
    expect(epochs.map(isCollapsed)).toEqual([false, false, false, false, true])
    expect((await runCell(cell('info-nce'), data, backend)).epochs[0]!.chosen).toBeNull()
  })

  it('is kept in a file named by what its numbers depend on, and a report is made of those that are there', async () => {
    const cells = cellsOf([setting])
    const file = (own: Cell) => cellFile(folder, own, about)
    expect(new Set(cells.map(file)).size).toBe(12)
    expect(file(cell('hard'))).not.toBe(cellFile(folder, cell('hard'), { ...about, hearing: 'other' }))
    expect(file(cell('hard'))).not.toBe(file({ ...cell('hard'), setting: { ...setting, epochs: 5 } }))
    expect(file(cell('hard'))).toBe(
      file({ ...cell('hard'), setting: { ...setting, seeds: 9, variants: [] } }),
    )
    expect(readCell(file(cell('hard')))).toBeNull()
    for (const [i, own] of cells.slice(0, 7).entries())
      writeCell(file(own), await runCell(own, data, backend), i < 5 ? made : { ...made, command: 'another' })
    const [found] = foundCells(folder, [setting], cells, () => about)
    expect([found!.results.length, found!.missing]).toEqual([7, 5])
    const summary = summarise(found!)
    expect(summary.rows.map(({ variant, seeds }) => `${variant} ${seeds}`)).toEqual([
      'random 2',
      'hard 2',
      'full-batch 2',
      'info-nce 1',
    ])
    expect(summary.rows[0]!.againstRandom).toBeNull()
    // One report of two runs says what is of which.
    expect(summary.made.map(({ by, models }) => `${by!.command} ${models}`)).toEqual([
      'a test 5',
      'another 2',
    ])
    const answers = answersOf([summary])
    expect(answers.find(({ question }) => question.includes('collapse'))!.text).toMatch(
      /of 2 models.*0\.\d{3}/,
    )
    expect(answers.find(({ question }) => question.includes('padded'))!.text).toContain('cannot tell')
    const large = { ...summary, setting: { ...setting, name: 'batch 128' } }
    const calm = { ...summary.rows[1]!.collapse, seeds: 0 }
    const own = {
      setting: { ...setting, name: 'crnn', encoder: 'crnn' as const },
      missing: 0,
      made: [],
      rows: [{ ...summary.rows[1]!, collapse: calm }],
    }
    const frozen = { ...summary, rows: summary.rows.map((row) => ({ ...row, collapse: calm })) }
    const said = (...settings: SettingSummary[]) =>
      answersOf(settings).find(({ question }) => question.includes('collapse'))!.text
    expect(said(frozen, own)).toContain('none with a frozen tower')
    // One collapsed in another setting with the frozen tower.
    expect(said(frozen, large, own)).not.toContain('none with a frozen tower')
    const alone = { ...summary, rows: summary.rows.slice(1, 2) }
    expect(answersOf([alone])[1]!.text).toContain('cannot tell')
    const page = await studyPage({
      banks: [{ bank: 'small', hearing: 'a test', settings: [summary] }],
      costs: [],
      made: 'test',
    })
    expect(page).toContain('5 planned models are missing')
    expect(page).toContain('5 models by a test (commit 0, 2026-01-01); 2 models by another')
  })
})

describe('numbers', () => {
  it('geometry tells one place from many', () => {
    const n = 64
    const one = Float32Array.from({ length: n * 4 }, (_, e) => (e % 4 === 0 ? 1 : 0))
    expect(geometryOf(one, n)).toEqual({ meanCosine: 1, effectiveRank: 1, uniformity: 0 })
    const axes = Float32Array.from({ length: n * 4 }, (_, e) => (Math.floor(e / 4) % 4 === e % 4 ? 1 : 0))
    const spread = geometryOf(axes, n)
    // Four corners about their mean span three dimensions alike; one of four others is in the same corner.
    expect(spread.effectiveRank).toBeCloseTo(3, 4)
    expect(spread.meanCosine).toBeCloseTo(15 / 63, 6)
    expect(spread.uniformity).toBeCloseTo(Math.log((15 + 48 * Math.exp(-4)) / 63), 6)
    expect(alignmentOf(one, axes, n)).toBeCloseTo(1.5, 6)
    const look = { epoch: 1, loss: 1, quality: 0, alignment: 0, scoreSpread: 1, chosen: null }
    expect([isCollapsed({ ...look, ...geometryOf(one, n) }), isCollapsed({ ...look, ...spread })]).toEqual([
      true,
      false,
    ])
  })

  it('effective rank is that of unequal directions too', () => {
    // Singular values in the proportion 3 to 1: shares 0.75 and 0.25.
    const points = [[3, 0], [-3, 0], [0, 1], [0, -1]] // prettier-ignore
    const entropy = -(0.75 * Math.log(0.75) + 0.25 * Math.log(0.25))
    expect(geometryOf(Float32Array.from(points.flat()), 4).effectiveRank).toBeCloseTo(Math.exp(entropy), 4)
  })

  it('intervals hold what varies between seeds as well as between clips', () => {
    const clips = Array.from({ length: 40 }, (_, c) => Math.sin(c))
    const same = estimate([clips, clips, clips])
    const shifted = estimate([clips, clips.map((x) => x + 1), clips.map((x) => x - 1)])
    expect(shifted.mean).toBeCloseTo(same.mean, 6)
    expect(shifted.high - shifted.low).toBeGreaterThan(2 * (same.high - same.low))
    const single = estimate([clips])
    expect(single.high - single.low).toBeCloseTo(same.high - same.low, 1)
  })

  it('differences are paired, small ps are small and none is 0', () => {
    const rng = new Rng(3)
    const base = Array.from({ length: 5 }, () => Array.from({ length: 50 }, () => rng.normal()))
    const better = base.map((own, s) => own.map((x) => x + 0.2 + 0.01 * s + 0.02 * rng.normal()))
    const sure = difference(better, base)
    expect(sure.mean).toBeCloseTo(0.22, 2)
    expect(sure.p).toBe(leastP)
    expect(sure.effect).toBeGreaterThan(5)
    const noise = difference(
      base.map((own) => own.map((x) => x + 0.2 * rng.normal())),
      base,
    )
    expect(noise.p).toBeGreaterThan(0.01)
    expect(difference(base, base)).toMatchObject({ mean: 0, p: 1, effect: null })
  })
})

it('every registered strategy has its place in the plan, quick and full', () => {
  for (const full of [false, true]) {
    const planned = new Set(
      cellsOf(plan({ full, bank: 'b', seeds: undefined })).map(({ variant }) => variant),
    )
    for (const { name } of allVariants()) expect(planned, name).toContain(name)
  }
  expect(plan({ full: true, bank: 'b', seeds: undefined })[0]!.seeds).toBeGreaterThanOrEqual(10)
})

describe('costs', () => {
  const base = { batch: 4, seconds: 1, dim: 8 }
  const sizes = [
    { ...base, axis: 'base' as const },
    { ...base, dim: 16, axis: 'dim' as const },
    { ...base, batch: 400, axis: 'batch' as const },
  ]
  const limits = { bytes: 64 * 2 ** 20, ms: 1e9 }
  const cells = measureCosts(openBackend(), { sizes, rounds: 2, patience: 1e9, limits })
  const cell = (strategy: string, batch: number, dim = 8) =>
    cells.find((one) => one.strategy === strategy && one.batch === batch && one.dim === dim)!

  it('are of every strategy that chooses from a plain batch, and sum up', () => {
    const names = new Set(cells.map(({ strategy }) => strategy))
    for (const name of ['random', 'hard-audio', 'semi-hard', 'mixture']) expect(names).toContain(name)
    for (const name of ['queue', 'cluster-batches', 'caption-rules']) expect(names).not.toContain(name)
    expect(cells).toHaveLength(3 * names.size)
    for (const { encoder, scores, planes, choosing, lossAndBackward, total, bytes } of cells) {
      expect(total).toBeCloseTo(encoder + scores + planes + choosing + lossAndBackward, 6)
      expect(bytes).toBeGreaterThan(4 * base.batch * 50 * 64)
    }
  })

  it('of what is too large are taken from the base, and say so', () => {
    for (const batch of [4, 400])
      for (const name of ['random', 'hard-audio']) expect(cell(name, batch).extrapolated).toBe(batch === 400)
    const [small, large] = [cell('hard-audio', 4), cell('hard-audio', 400)]
    expect(large.planes).toBeCloseTo(small.planes * 100 ** 2, 6)
    expect(large.encoder).toBeCloseTo(small.encoder * 100, 6)
    expect(large.bytes).toBeGreaterThan(limits.bytes)
    expect(cell('random', 4, 16).encoder).toBe(cell('random', 4).encoder)
  })

  it('that were measured once stay, but for those that are measured again', () => {
    const file = join(folder, 'costs.json')
    const later = { ...made, command: 'later' }
    expect(keptCosts(file, [], made)).toEqual([])
    const first = keptCosts(file, cells, made)
    expect(keptCosts(file, [], later)).toEqual(first)
    const again: CostCell[] = [{ ...cell('random', 4), total: 1 }]
    const mixed = keptCosts(file, again, later)
    expect(mixed.filter(({ strategy }) => strategy === 'random')).toEqual([{ ...again[0], made: later }])
    expect(mixed).toHaveLength(cells.length - 3 + 1)
    expect(keptCosts(file, [], later)).toEqual(mixed)
  })

  it('have a section of the report for each device', async () => {
    const summary = { bank: 'small', hearing: 'a test', settings: [] }
    const on = (device: string) => cells.map((one) => ({ ...one, device, made }))
    const page = await studyPage({ banks: [summary], costs: [...on('cpu'), ...on('cuda:0')], made: 'test' })
    expect(page).toContain('Cost (cuda:0)')
    expect(page).toContain('Measured by a test (commit 0, 2026-01-01).')
    expect(page.match(/>[\d.]+ \*</g)).toHaveLength(2 * new Set(cells.map(({ strategy }) => strategy)).size)
  })
})

describe('a strategy of one’s own', () => {
  const file = join(folder, 'mine.mjs')
  const negatives = new URL('../../../core-ts/dist/negatives/index.js', import.meta.url).href
  const build = `() => ({ ...strategies.build('hard'), name: 'mine' })`
  writeFileSync(
    file,
    `import { strategies } from '${negatives}'
    export default ({ register }) =>
      register('strategy', {
        name: 'mine', description: 'Mine.', schema: { properties: {} }, fromConfig: ${build},
      })`,
  )
  const planned = (strategies?: string[]) =>
    plan({ full: false, bank: 'b', seeds: 1, strategies }).map(
      ({ name, variants }) => `${name}: ${variants.join(' ')}`,
    )

  it('takes part once its plugin is loaded, and a subset is what was asked for', async () => {
    expect(() => planned(['mine'])).toThrow(/no strategy mine.*semi-hard.*--plugin/)
    await loadPlugins([file])
    expect(planned()[0]).toMatch(/ mine /)
    expect(planned(['mine'])).toEqual(['main: random mine'])
    expect(planned(['mine', 'hard'])).toEqual([
      'main: random hard mine',
      'pooled: random hard',
      'crnn: random hard',
    ])
    expect(planned(['queue'])).toEqual(['pooled: random queue'])
    expect(() => planned(['random'])).toThrow('besides random')
    const cell = { setting: { ...setting, variants: ['random', 'mine'] }, variant: 'mine', seed: 17 }
    expect(cellFile(folder, cell, { ...about, plugin: 'a' })).not.toBe(
      cellFile(folder, cell, { ...about, plugin: 'b' }),
    )
    const { epochs } = await runCell(cell, smallData(), referenceBackend())
    expect(epochs[0]!.chosen!.percentile).toBeGreaterThan(0.98)
  })
})

it('options say what is wrong with them', () => {
  expect(studyOptions(['--shard', '2/3']).shard).toEqual([2, 3])
  expect(() => studyOptions(['--shard', '4/3'])).toThrow('--shard')
  expect(() => studyOptions(['--seeds', '0'])).toThrow('--seeds')
  expect(() => studyOptions(['--strategeis'])).toThrow('--strategeis')
  expect(
    studyOptions(['--strategies', 'hard, band', '--plugin', 'a.mjs', '--plugin', 'b.mjs']),
  ).toMatchObject({
    strategies: ['hard', 'band'],
    plugins: ['a.mjs', 'b.mjs'],
  })
})

it('the help tells of every option, with its default', () => {
  const help = helpOf(readFileSync(new URL('../suites/negatives.ts', import.meta.url), 'utf8'))
  const said = new Map(
    [...help.matchAll(/^ {2}--([\w-]+) ((?:.|\n {5,})*)/gm)].map(([, name, text]) => [name!, text!]),
  )
  expect([...said.keys()].filter((name) => name !== 'help').sort()).toEqual(Object.keys(optionSpecs).sort())
  for (const [name, spec] of Object.entries(optionSpecs)) {
    if (name === 'full') continue // the other mode, told with the one of no option
    expect(said.get(name), name).toContain('default')
    if ('default' in spec && typeof spec.default === 'string')
      expect(said.get(name), name).toContain(`default ${spec.default}`)
  }
  expect(help).toContain('fixed random convolutions')
})

it('the command in a report can be typed as it stands, and says nothing of where things lie', () => {
  const argv = [
    '--only',
    'main hard',
    '--work',
    '/tmp/a',
    '--jobs=2',
    '--shard',
    '1/2',
    '--csv',
    '/b/c d.csv',
  ]
  expect(shownCommand(argv)).toBe("nx run bench:negatives -- --only 'main hard' --csv 'c d.csv'")
  expect(shownCommand([])).toBe('nx run bench:negatives')
})

it('a text of --only that means no model is refused, with what there is', () => {
  const settings = plan({ full: false, bank: 'b', seeds: 2 })
  for (const only of [undefined, 'cost', 'main', 'main hard', 'semi-hard', 'crnn random 18'])
    expect(() => checkOnly(only, settings), only).not.toThrow()
  expect(() => checkOnly('nosuch', settings)).toThrow(
    /Nothing is called "nosuch".*main, pooled, crnn.*semi-hard.*17, 18/,
  )
})

describe('what is said of the best', () => {
  /** Three seeds of strategies whose values differ from those of random by so much, and by chance from seed to seed and clip to clip. */
  const summaryOf = (gains: Readonly<Record<string, number>>) => {
    const results = Object.entries(gains).flatMap(([variant, gain], v) =>
      [17, 18, 19].map((seed) => {
        const rng = new Rng(seed, variant)
        const byClip = () =>
          Array.from({ length: 40 }, (_, c) => 0.3 + gain + 0.1 * Math.sin(c) + 0.02 * rng.normal())
        const way = () => ({ 'R@1': byClip(), 'R@10': byClip(), 'mAP@10': byClip() })
        const test = () => ({ textToAudio: way(), audioToText: way() })
        const flat = { meanCosine: 0, effectiveRank: 9, uniformity: 0, alignment: 0, scoreSpread: 1 }
        const look = { ...flat, loss: v, quality: 0, chosen: null }
        return {
          ...{ setting: 'main', variant, seed, chance: {} },
          epochs: [
            { ...look, epoch: 0 },
            { ...look, epoch: 1 },
          ],
          histograms: { positives: [1], candidates: [1], chosen: [1] },
          tests: { scenes: test(), singles: test() },
        }
      }),
    )
    return summarise({ setting: { ...setting, variants: Object.keys(gains) }, results, missing: 0 })
  }

  it('is no victory where the tests tell nothing apart', () => {
    const even = summaryOf({ random: 0, hard: 0.0005 })
    expect(leaderText(even)).toMatch(
      /hard has the best mean, but is not told apart from random with 3 seeds|^random has/,
    )
  })

  it('is one beside random, and beside whoever is close to it is not', () => {
    const told = summaryOf({ random: 0, hard: 0.2, 'semi-hard': 0.2, 'full-batch': 0.1 })
    expect(leaderText(told)).toMatch(
      /^(hard|semi-hard) has the best mean, better than random both ways with 3 seeds; not told apart from it: (hard|semi-hard)$/,
    )
    const best = told.rows.find(({ againstBest }) => againstBest === null)!
    expect(['hard', 'semi-hard']).toContain(best.variant)
    const other = told.rows.find(({ variant }) => variant === 'full-batch')!.againstBest!
    expect(other.scenes.textToAudio).toMatchObject({ isLeast: true, adjusted: 12 * leastP })
    expect(other.scenes.textToAudio.high).toBeLessThan(0)
    const text = answersOf([told])
      .map((answer) => answer.text)
      .join('\n')
    expect(text).toContain('p ≤ 0.002')
    expect(text).not.toContain('p = 0.002')
  })

  it('a p that is as small as the draws let it be is a bound', () => {
    const own = { mean: 1, low: 1, high: 1, p: leastP, effect: 1 }
    expect(pText({ ...own, adjusted: 0.012, isLeast: true })).toBe('≤ 0.012')
    expect(pText({ ...own, adjusted: 0.031, isLeast: false })).toBe('= 0.031')
  })

  it('orders of fewer than four strategies are not compared', () => {
    const [few, more] = [
      summaryOf({ random: 0, hard: 0.1 }),
      summaryOf({ random: 0, hard: 0.1, 'semi-hard': 0.2, 'full-batch': 0.05 }),
    ]
    const pooled = (summary: SettingSummary) => ({ ...summary, setting: { ...setting, name: 'pooled' } })
    const said = (main: SettingSummary) =>
      answersOf([main, pooled(main)]).find(({ question }) => question.includes('similarity'))!.text
    expect(said(few)).not.toMatch(/Kendall|both/)
    expect(said(more)).toMatch(/Kendall's τ of the two orders 1.00; semi-hard has the best mean in both/)
  })
})
