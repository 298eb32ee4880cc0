import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CellResult } from './cell.js'
import type { CostCell } from './cost.js'
import { type Cell, type Setting, variantNamed } from './plan.js'

/** Everything that the numbers of a setting depend on besides the code. */
export interface Circumstances {
  readonly hearing: string
  readonly size: object
  /** Of the plugin that a strategy comes from, a hash: another text is another strategy. */
  readonly plugin?: string
}

/** Where the result of a cell lies; another number anywhere in what it depends on is another file. */
export function cellFile(folder: string, { setting, variant, seed }: Cell, about: Circumstances): string {
  // How many seeds and which other strategies there are changes nothing of one cell.
  const own = { ...setting, seeds: undefined, variants: undefined, question: undefined }
  const { name, config } = variantNamed(variant).loss
  const key = createHash('sha256')
    .update(JSON.stringify([own, { name, config }, about]))
    .digest('hex')
    .slice(0, 8)
  return join(folder, `${setting.bank}-${setting.name.replaceAll(' ', '-')}-${variant}-${seed}-${key}.json`)
}

/** By what numbers were made: those of one report may be of several runs. */
export interface Made {
  readonly command: string
  readonly commit: string
  readonly date: string
}

/** As it lies in its file; those of before 0.2 do not say by what they were made. */
export type KeptCell = CellResult & { readonly made?: Made }

export type KeptCost = CostCell & { readonly made: Made }

export function madeText({ command, commit, date }: Made): string {
  return `${command} (commit ${commit}, ${date})`
}

export function readCell(file: string): KeptCell | null {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as KeptCell) : null
}

/** Whole or not at all: what is there after a kill is finished. */
export function writeCell(file: string, result: CellResult, made: Made): void {
  writeWhole(file, { ...result, made })
}

function writeWhole(file: string, value: unknown): void {
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(`${file}.partial`, JSON.stringify(value))
  renameSync(`${file}.partial`, file)
}

/** Costs that were measured in a work folder: those given, in place of earlier ones of their devices and strategies, and the others. */
export function keptCosts(file: string, costs: readonly CostCell[], made: Made): KeptCost[] {
  const earlier = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as KeptCost[]) : []
  const key = ({ device, strategy }: CostCell): string => `${device} ${strategy}`
  const fresh = new Set(costs.map(key))
  const all = [
    ...earlier.filter((cell) => !fresh.has(key(cell))),
    ...costs.map((cell) => ({ ...cell, made })),
  ]
  if (costs.length > 0) writeWhole(file, all)
  return all
}

export interface FoundCells {
  readonly setting: Setting
  readonly results: readonly KeptCell[]
  readonly missing: number
}

export function foundCells(
  folder: string,
  settings: readonly Setting[],
  cells: readonly Cell[],
  aboutOf: (cell: Cell) => Circumstances,
): FoundCells[] {
  return settings.map((setting) => {
    const own = cells.filter((cell) => cell.setting === setting)
    const results = own.flatMap((cell) => readCell(cellFile(folder, cell, aboutOf(cell))) ?? [])
    return { setting, results, missing: own.length - results.length }
  })
}
