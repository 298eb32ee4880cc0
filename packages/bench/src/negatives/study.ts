import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, isAbsolute, join, relative } from 'node:path'
import { type Backend, openBackend } from '@sonotext/core/backend'
import { isSonotextError } from '@sonotext/core/base'
import { strategies } from '@sonotext/core/negatives'
import { loadPlugins } from '@sonotext/core/runs'
import { CheckError } from '../check/check-error.js'
import { environment, type Environment, environmentLine } from '../harness/environment.js'
import { type Column, markdownTable } from '../harness/table.js'
import { runCell } from './cell.js'
import {
  type Circumstances,
  cellFile,
  foundCells,
  keptCosts,
  type Made,
  madeText,
  readCell,
  writeCell,
} from './cells.js'
import { answersOf, pText } from './answers.js'
import { type CostCell, costPlan, measureCosts } from './cost.js'
import {
  type BankSource,
  type Hearing,
  proceduralSource,
  recordedSource,
  type StudyData,
  studyData,
  type StudySize,
  testNames,
} from './data.js'
import { type StudyOptions, studyOptions } from './options.js'
import { baseline, type Cell, cellsOf, directions, measures, plan, type Setting } from './plan.js'
import { type BankReport, madeOf, studyPage } from './report.js'
import { meanQuality, ranked, type SettingSummary, summarise, type VariantSummary } from './summary.js'
import { terms } from './terms.js'
import { onnxTower, standInTower, type Tower } from './towers.js'

const sizes: Readonly<Record<'quick' | 'full', StudySize>> = {
  quick: { scenes: { train: 96, validation: 30, test: 60, singles: 40 }, duration: 4 },
  full: { scenes: { train: 480, validation: 60, test: 150, singles: 100 }, duration: 5 },
}

/** The command behind `nx run bench:negatives`; returns its exit code. Throws CheckError where its options do not do. */
export async function runStudy(argv: readonly string[]): Promise<number> {
  const options = studyOptions(argv)
  const worker = process.env['SONOTEXT_STUDY_WORKER'] !== undefined
  const about = environment()
  const made: Made = { command: shownCommand(argv), commit: about.commit, date: about.date }
  const study = await openStudy(options)
  if (options.reportOnly) {
    // What is there is all there is.
  } else if (options.jobs > 1 && !worker) await inProcesses(argv, options.jobs)
  else await train(study, made)
  if (worker || options.shard[1] > 1) return 0
  const { skipCost, only, full } = options
  const costed = options.strategies && [...new Set([baseline, ...options.strategies])]
  const wantsCost = !skipCost && (only === undefined || only === 'cost')
  const costs = wantsCost
    ? costBackends(study.backend).flatMap((backend) =>
        measureCosts(backend, { ...costPlan(full), strategies: costed, onCell: noteCost }),
      )
    : []
  await report(study, costs, about, made)
  return 0
}

interface Study {
  readonly options: StudyOptions
  readonly backend: Backend
  readonly tower: Tower
  readonly size: StudySize
  readonly banks: readonly { readonly source: BankSource; readonly settings: readonly Setting[] }[]
}

async function openStudy(options: StudyOptions): Promise<Study> {
  const { full, seeds, epochs, bank, csv, onnx, device } = options
  await loadPlugins(options.plugins)
  const backend = openBackend({ device: device as 'cpu' })
  const tower = onnx === undefined ? standInTower(backend) : await onnxTower(onnx, backend)
  const sources = [proceduralSource, ...(bank === undefined ? [] : [recordedSource(bank, csv)])]
  const banks = sources.map((source) => {
    const settings = plan({ full, bank: source.name, seeds, strategies: options.strategies })
    return { source, settings: settings.map((own) => (epochs === undefined ? own : { ...own, epochs })) }
  })
  checkOnly(
    options.only,
    banks.flatMap(({ settings }) => settings),
  )
  return { options, backend, tower, size: sizes[full ? 'full' : 'quick'], banks }
}

/** Throws where a text means no cell at all, with what there is. */
export function checkOnly(only: string | undefined, settings: readonly Setting[]): void {
  const cells = cellsOf(settings)
  if (only === undefined || only === 'cost' || cells.some((cell) => isMeant(cell, only))) return
  const those = (of: (cell: Cell) => string | number): string => [...new Set(cells.map(of))].join(', ')
  throw new CheckError(
    `Nothing is called "${only}" (--only). It is part of "setting strategy seed", or cost. Settings: ${those(({ setting }) => setting.name)}. Strategies: ${those(({ variant }) => variant)}. Seeds: ${those(({ seed }) => seed)}.`,
  )
}

function isMeant({ setting, variant, seed }: Cell, only: string | undefined): boolean {
  return only === undefined || `${setting.name} ${variant} ${seed}`.includes(only)
}

function circumstances({ tower, size, options }: Study, { setting, variant }: Cell): Circumstances {
  const hearing = setting.encoder === 'crnn' ? 'log-mel' : tower.id
  const name = strategies.pluginOf(variant)
  if (name === undefined) return { hearing, size }
  const file = options.plugins.find((plugin) => basename(plugin) === name)
  const text = file !== undefined && existsSync(file) ? readFileSync(file) : name
  return { hearing, size, plugin: createHash('sha256').update(text).digest('hex').slice(0, 12) }
}

function fileOf(study: Study, cell: Cell): string {
  return cellFile(join(study.options.work, 'cells'), cell, circumstances(study, cell))
}

async function train(study: Study, made: Made): Promise<void> {
  const { options, backend, tower, size, banks } = study
  const { only, shard, work } = options
  for (const { source, settings } of banks) {
    const wanted = cellsOf(settings).filter((cell, i) => i % shard[1] === shard[0] - 1 && isMeant(cell, only))
    const todo = wanted.filter((cell) => readCell(fileOf(study, cell)) === null)
    if (wanted.length > 0)
      console.error(`${source.name} sounds: ${wanted.length} models, ${todo.length} to be trained`)
    const opened = new Map<Hearing, StudyData>()
    for (const [i, cell] of todo.entries()) {
      const hearing = cell.setting.encoder === 'crnn' ? 'log-mel' : tower
      let data = opened.get(hearing)
      if (data === undefined) {
        console.error('scenes and what is heard of them …')
        opened.set(hearing, (data = await studyData(source, hearing, size, work, backend)))
      }
      const started = performance.now()
      writeCell(fileOf(study, cell), await runCell(cell, data, backend), made)
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      console.error(
        `${i + 1} of ${todo.length}: ${cell.setting.name}, ${cell.variant}, seed ${cell.seed} (${seconds} s)`,
      )
    }
  }
}

/** The same command in several processes, each with its share of the cells. */
async function inProcesses(argv: readonly string[], jobs: number): Promise<void> {
  const ended = Array.from({ length: jobs }, (_, i) => {
    const child = fork(process.argv[1]!, [...argv, '--shard', `${i + 1}/${jobs}`], {
      env: { ...process.env, SONOTEXT_STUDY_WORKER: '1', SONOTEXT_THREADS: '1' },
    })
    return new Promise<void>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code) =>
        code === 0 ? resolve() : reject(new Error(`A process that trains ended with ${String(code)}.`)),
      )
    })
  })
  await Promise.all(ended)
}

/** The one that trains, and the GPU where there is one besides. */
function costBackends(own: Backend): Backend[] {
  if (own.info.device !== 'cpu') return [own]
  try {
    return [own, openBackend({ device: 'cuda' })]
  } catch (error) {
    if (!isSonotextError(error) || error.code !== 'BACKEND_UNAVAILABLE') throw error
    return [own]
  }
}

function noteCost({ strategy, axis, batch, seconds, dim, total, extrapolated }: CostCell): void {
  if (strategy !== 'random') return
  console.error(
    `cost (${axis}): ${batch} pairs of ${seconds} s, vectors of ${dim}: ${total.toFixed(0)} ms a step with random${extrapolated ? ', extrapolated' : ''}`,
  )
}

async function report(
  study: Study,
  measured: readonly CostCell[],
  about: Environment,
  made: Made,
): Promise<void> {
  const { options, tower, banks, backend, size } = study
  const cellFolder = join(options.work, 'cells')
  const reports: BankReport[] = banks.map(({ source, settings }) => ({
    bank: source.name,
    hearing: tower.name,
    settings: foundCells(cellFolder, settings, cellsOf(settings), (cell) => circumstances(study, cell)).map(
      summarise,
    ),
  }))
  const { command } = made
  const costs = keptCosts(join(options.work, `costs-${options.full ? 'full' : 'quick'}.json`), measured, made)
  const isOfAnother = (by: Made | null): boolean => by === null || madeText(by) !== madeText(made)
  const runs = reports.flatMap(({ settings }) => settings.flatMap((setting) => setting.made))
  const earlier = runs.filter(({ by }) => isOfAnother(by)).reduce((sum, { models }) => sum + models, 0)
  const all = runs.reduce((sum, { models }) => sum + models, 0)
  const ofOthers = [
    ...(earlier > 0 ? [`${earlier} of ${all} models are of other runs; every setting says which.`] : []),
    ...(costs.length === 0 ? ['Costs were not measured.'] : []),
    ...(costs.some((cost) => isOfAnother(cost.made)) ? ['Costs were measured by another run.'] : []),
  ]
  const line = `${[`${command}.`, ...ofOthers].join(' ')} ${environmentLine(about)}; ${backend.info.device}, ${backend.info.isa ?? ''}. ${size.scenes.train} training scenes of ${size.duration} s; tower: ${tower.name}.`
  const result = {
    ...about,
    command,
    tower: { name: tower.name, id: tower.id },
    size,
    costs,
    banks: reports,
    answers: reports.map(({ bank, settings }) => ({ bank, answers: answersOf(settings) })),
  }
  mkdirSync(options.out, { recursive: true })
  writeFileSync(join(options.out, 'results.json'), `${JSON.stringify(result, rounded, 1)}\n`)
  writeFileSync(join(options.out, 'results.csv'), csvOf(reports))
  writeFileSync(join(options.out, 'report.html'), await studyPage({ banks: reports, costs, made: line }))
  if (options.json) console.log(JSON.stringify(result, rounded))
  else console.log([...reports.map(tableOf), meanings(), line].join('\n\n'))
  console.error(`Report: ${join(options.out, 'report.html')}`)
}

/** The command that gives the same numbers, without where things lie on this machine and who shares the work. */
export function shownCommand(argv: readonly string[]): string {
  const data = process.env['SONOTEXT_DATA']
  const words = argv.flatMap((word, i) => {
    if (
      ['--work', '--out', '--shard', '--jobs'].some(
        (name) => word === name || argv[i - 1] === name || word.startsWith(`${name}=`),
      )
    )
      return []
    if (!isAbsolute(word)) return [word]
    const inside = data === undefined ? undefined : relative(data, word)
    return [inside === undefined || inside.startsWith('..') ? basename(word) : `$SONOTEXT_DATA/${inside}`]
  })
  const typed = words.map((word) => (/\s/.test(word) ? `'${word}'` : word))
  return ['nx run bench:negatives', ...(typed.length > 0 ? ['--', ...typed] : [])].join(' ')
}

/** Five digits are more than the intervals leave. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value
}

function csvOf(reports: readonly BankReport[]): string {
  const header = 'bank,setting,strategy,seeds,test,direction,measure,mean,low,high,chance'
  const lines = reports.flatMap(({ bank, settings }) =>
    settings.flatMap(({ setting, rows }) =>
      rows.flatMap((row) =>
        testNames.flatMap((test) =>
          directions.flatMap((way) =>
            measures.map((measure) => {
              const { mean, low, high } = row.values[test][way][measure]
              const chance = row.chance[`${test} ${way} ${measure}`]!
              const numbers = [mean, low, high, chance].map((value) => value.toFixed(5))
              return [bank, setting.name, row.variant, row.seeds, test, way, measure, ...numbers].join(',')
            }),
          ),
        ),
      ),
    ),
  )
  return [header, ...lines, ''].join('\n')
}

/** mAP@10 of every setting, and below it what the data say. */
function tableOf({ bank, settings }: BankReport): string {
  const measured = settings.filter(({ rows }) => rows.length > 0)
  const parts = measured.map(
    (summary) => `${bank} sounds, ${summary.setting.name}:\n\n${settingTable(summary)}\n\n${madeOf(summary)}`,
  )
  const answers = answersOf(settings).map(({ question, text }) => `${question}\n  ${text}`)
  return [...parts, ...answers].join('\n\n')
}

function meanings(): string {
  return terms.map(([name, meaning]) => `${name}: ${meaning}`).join('\n')
}

function settingTable({ rows }: SettingSummary): string {
  const right = (title: string, text: (row: VariantSummary) => string): Column<VariantSummary> => ({
    title,
    align: 'right',
    text,
  })
  const number = (value: number): string => value.toFixed(3)
  return markdownTable(
    [
      { title: 'strategy', align: 'left', text: ({ variant }) => variant },
      right('seeds', ({ seeds }) => String(seeds)),
      right('mAP@10 both ways', (row) => number(meanQuality(row))),
      ...directions.map((way) =>
        right(way === 'textToAudio' ? 'text → audio' : 'audio → text', ({ values }) => {
          const { mean, low, high } = values.scenes[way]['mAP@10']
          return `${number(mean)} (${number(low)}–${number(high)})`
        }),
      ),
      right('least adjusted p', ({ againstRandom }) =>
        againstRandom === null
          ? '–'
          : pText(
              directions
                .map((way) => againstRandom.scenes[way])
                .reduce((a, b) => (b.adjusted < a.adjusted ? b : a)),
            ).replace('= ', ''),
      ),
      right('effective rank', ({ curve }) => curve.at(-1)!.effectiveRank.toFixed(1)),
      right('collapsed', ({ collapse, seeds }) => `${collapse.seeds} of ${seeds}`),
    ],
    ranked(rows),
  )
}
