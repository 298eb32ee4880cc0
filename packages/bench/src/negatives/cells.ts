import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CellResult } from './cell.js'
import { type Cell, type Setting, variants } from './plan.js'

/** Everything that the numbers of a setting depend on besides the code. */
export interface Circumstances {
  readonly hearing: string
  readonly size: object
}

/** Where the result of a cell lies; another number anywhere in what it depends on is another file. */
export function cellFile(folder: string, { setting, variant, seed }: Cell, about: Circumstances): string {
  // How many seeds and which other strategies there are changes nothing of one cell.
  const own = { ...setting, seeds: undefined, variants: undefined, question: undefined }
  const { name, config } = variants.find((one) => one.name === variant)!.loss
  const key = createHash('sha256')
    .update(JSON.stringify([own, { name, config }, about]))
    .digest('hex')
    .slice(0, 8)
  return join(folder, `${setting.bank}-${setting.name.replaceAll(' ', '-')}-${variant}-${seed}-${key}.json`)
}

export function readCell(file: string): CellResult | null {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as CellResult) : null
}

/** Whole or not at all: what is there after a kill is finished. */
export function writeCell(file: string, result: CellResult): void {
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(`${file}.partial`, JSON.stringify(result))
  renameSync(`${file}.partial`, file)
}

export interface FoundCells {
  readonly setting: Setting
  readonly results: readonly CellResult[]
  readonly missing: number
}

export function foundCells(
  folder: string,
  settings: readonly Setting[],
  cells: readonly Cell[],
  aboutOf: (setting: Setting) => Circumstances,
): FoundCells[] {
  return settings.map((setting) => {
    const own = cells.filter((cell) => cell.setting === setting)
    const results = own.flatMap((cell) => readCell(cellFile(folder, cell, aboutOf(setting))) ?? [])
    return { setting, results, missing: own.length - results.length }
  })
}
