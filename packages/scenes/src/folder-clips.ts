import { stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import {
  checkOptions,
  type CsvTable,
  expected,
  hash32,
  readCsv,
  requireColumns,
  SonotextError,
} from '@sonotext/core/base'
import { importFolder } from '@sonotext/core/data'
import type { Segment } from './activity.js'

/** A labelled recording of a folder. */
export interface LabelledClip {
  /** Absolute path. */
  readonly path: string
  /** As the folder or the CSV names it, with `/`. */
  readonly name: string
  readonly label: string
  /** The recording it was cut from: its clips stay in one split. */
  readonly group: string
  readonly split: string
}

/** Which columns of the CSV to read; by default the usual names are looked for. */
export interface LabelColumns {
  readonly file?: string
  readonly label?: string
  readonly fold?: string
  readonly group?: string
}

/** Where the labelled recordings of a bank lie, and which of them are taken. */
export interface FolderClipsOptions {
  /** CSV with a row a file (file names relative to the folder), such as ESC-50's. Without it the sub-folders are the classes. */
  readonly csv?: string
  readonly columns?: LabelColumns
  /**
   * Which folds make which split: { train: [1, 2, 3], test: [4] }. Files of other folds are left out. Default: where the fold column holds
   * names such as train and test, those; else {@link FolderClipsOptions.shares}.
   */
  readonly splits?: Readonly<Record<string, readonly (string | number)[]>>
  /** Shares of recordings for each split where there are no folds; default train 0.7, validation 0.15, test 0.15. */
  readonly shares?: Readonly<Record<string, number>>
  /** Only these classes. */
  readonly labels?: readonly string[]
}

const usual = {
  file: ['filename', 'file', 'file_name', 'slice_file_name', 'path', 'fname', 'audio'],
  label: ['category', 'label', 'class', 'class_name', 'labels'],
  fold: ['fold', 'split', 'subset'],
  group: ['src_file', 'group', 'fsID', 'source_id', 'recording'],
} as const

interface Row {
  readonly path: string
  readonly name: string
  readonly label: string
  readonly group: string
  readonly fold: string | undefined
}

/**
 * Labelled clips with their splits, in order. Throws as readCsv; INVALID_DATA when a recording would lie in two splits, a named split is
 * empty, or nothing is left.
 */
export async function labelledClips(
  folder: string,
  options: FolderClipsOptions = {},
): Promise<LabelledClip[]> {
  checkOptions(options, 'labelledClips')
  const all =
    options.csv === undefined
      ? await fromSubfolders(folder)
      : await fromCsv(folder, options.csv, options.columns)
  const wanted =
    options.labels === undefined ? all : all.filter(({ label }) => options.labels!.includes(label))
  const missing = options.labels?.filter((label) => !all.some((row) => row.label === label)) ?? []
  if (missing.length > 0 || wanted.length === 0) {
    const found = [...new Set(all.map(({ label }) => label))].sort().join(', ')
    throw new SonotextError(
      'INVALID_DATA',
      `no clip has the label ${missing.join(', ') || 'wanted'}; found: ${found || 'none'}.`,
      {
        file: options.csv ?? folder,
      },
    )
  }
  const clips = withSplits(wanted, options, options.csv ?? folder)
  refuseSharedRecordings(clips, options.csv ?? folder)
  return clips
}

async function fromCsv(folder: string, csv: string, columns: LabelColumns = {}): Promise<Row[]> {
  const table = await readCsv(csv)
  const column = (key: keyof typeof usual) =>
    columns[key] ?? usual[key].find((name) => table.columns.includes(name))
  requireColumns(table, [column('file') ?? 'filename', column('label') ?? 'category'])
  const [file, label, fold, group] = [column('file')!, column('label')!, column('fold'), column('group')]
  requireColumns(
    table,
    [fold, group].filter((name) => name !== undefined),
  )
  return table.rows.map((row): Row => {
    const name = row.get(file).trim().replaceAll('\\', '/')
    const read = row.get(label).trim()
    if (name === '' || read === '') {
      throw new SonotextError('INVALID_FILE', `the cell of "${name === '' ? file : label}" is empty.`, {
        file: `${csv}:${row.line}`,
      })
    }
    const path = isAbsolute(name) ? name : resolve(folder, name)
    const source = group === undefined ? '' : row.get(group).trim()
    return {
      path,
      name,
      label: read,
      group: source || name,
      fold: fold === undefined ? undefined : row.get(fold).trim(),
    }
  })
}

async function fromSubfolders(folder: string): Promise<Row[]> {
  const clips = await importFolder(folder)
  const rows = clips.flatMap(({ id, audio }): Row[] => {
    const label = dirname(id).split('/')[0]!
    return label === '.' ? [] : [{ path: audio, name: id, label, group: id, fold: undefined }]
  })
  if (rows.length > 0) return rows
  throw new SonotextError('INVALID_DATA', 'expected a sub-folder for each class, found audio files only.', {
    file: folder,
    remedy:
      'Put the clips of each class in a folder with its name, or give a CSV with the columns file and category.',
  })
}

function withSplits(rows: readonly Row[], options: FolderClipsOptions, file: string): LabelledClip[] {
  const folds = [...new Set(rows.map((row) => row.fold))]
  const named = folds.length > 0 && folds.every((fold) => fold !== undefined && /[a-z]/i.test(fold))
  const splits =
    options.splits ??
    (named && !options.shares ? Object.fromEntries(folds.map((fold) => [fold!, [fold!]])) : undefined)
  if (splits === undefined)
    return byShares(rows, options.shares ?? { train: 0.7, validation: 0.15, test: 0.15 })
  const splitOf = new Map<string, string>()
  for (const [split, list] of Object.entries(splits)) {
    for (const fold of list) {
      if (splitOf.has(String(fold)))
        throw expected('every fold in one split', 'splits', `fold ${fold} in two`)
      splitOf.set(String(fold), split)
    }
  }
  const clips = rows.flatMap(({ fold, ...row }): LabelledClip[] => {
    const split = splitOf.get(fold ?? '')
    return split === undefined ? [] : [{ ...row, split }]
  })
  for (const [split, list] of Object.entries(splits)) {
    if (clips.some((clip) => clip.split === split)) continue
    throw new SonotextError(
      'INVALID_DATA',
      `no clip belongs to the folds ${list.join(', ')} of the split "${split}".`,
      {
        file,
        remedy: `Folds found: ${folds.map((fold) => fold ?? 'none').join(', ')}.`,
      },
    )
  }
  return clips
}

/** Recordings go to splits by a hash of their name, class by class, so that every class with enough recordings is in every split. */
function byShares(rows: readonly Row[], shares: Readonly<Record<string, number>>): LabelledClip[] {
  const names = Object.keys(shares)
  const total = names.reduce((sum, name) => sum + shares[name]!, 0)
  if (names.length === 0 || !names.every((name) => shares[name]! > 0)) {
    throw expected('a share above 0 for each split', 'shares', JSON.stringify(shares))
  }
  const splitOf = new Map<string, string>()
  for (const ofLabel of Map.groupBy(rows, (row) => row.label).values()) {
    const open = [...new Set(ofLabel.map((row) => row.group))]
      .filter((group) => !splitOf.has(group))
      .sort((a, b) => hash32(a) - hash32(b) || (a < b ? -1 : 1))
    let done = 0
    let share = 0
    for (const [i, name] of names.entries()) {
      share += shares[name]! / total
      // At least one for each split while there are enough.
      const upTo = i === names.length - 1 ? open.length : Math.max(done + 1, Math.round(share * open.length))
      const end = Math.min(upTo, Math.max(done, open.length - (names.length - 1 - i)))
      for (const group of open.slice(done, end)) splitOf.set(group, name)
      done = Math.max(done, end)
    }
    for (const group of open.slice(done)) splitOf.set(group, names[0]!)
  }
  return rows.map(({ fold: _, ...row }) => ({ ...row, split: splitOf.get(row.group)! }))
}

function refuseSharedRecordings(clips: readonly LabelledClip[], file: string): void {
  const first = new Map<string, LabelledClip>()
  for (const clip of clips) {
    const other = first.get(clip.group)
    if (other === undefined) first.set(clip.group, clip)
    else if (other.split !== clip.split) {
      throw new SonotextError(
        'INVALID_DATA',
        `the recording "${clip.group}" is in two splits: "${other.name}" in ${other.split}, "${clip.name}" in ${clip.split}.`,
        { file, remedy: 'Put all clips of one recording into folds of one split.' },
      )
    }
  }
}

/** Size of every file, for the identity of a bank; files that are not there have none. */
export async function fileSizes(clips: readonly LabelledClip[]): Promise<(number | undefined)[]> {
  const sizes: (number | undefined)[] = []
  for (const { path } of clips) {
    sizes.push(
      await stat(path).then(
        (info) => (info.isFile() ? info.size : undefined),
        () => undefined,
      ),
    )
  }
  return sizes
}

/**
 * Activity segments by file from a CSV with the columns file, onset, offset (seconds). Files are found by the given name or,
 * where that is unique, by the last part of it.
 */
export async function readActivity(csv: string): Promise<(name: string) => readonly Segment[] | undefined> {
  const table: CsvTable = await readCsv(csv)
  requireColumns(table, ['file', 'onset', 'offset'])
  const byName = new Map<string, Segment[]>()
  for (const row of table.rows) {
    const [onset, offset] = [Number(row.get('onset')), Number(row.get('offset'))]
    if (!(onset >= 0 && offset > onset)) {
      throw new SonotextError(
        'INVALID_FILE',
        `expected an onset from 0 and a later offset, got ${row.get('onset')} and ${row.get('offset')}.`,
        {
          file: `${csv}:${row.line}`,
        },
      )
    }
    const name = row.get('file')
    const segments = byName.get(name)
    if (segments) segments.push({ onset, offset })
    else byName.set(name, [{ onset, offset }])
  }
  const byLast = Map.groupBy(byName.keys(), (name) => basename(name))
  return (name) => {
    const alike = byLast.get(basename(name)) ?? []
    return (
      byName.get(name) ?? byName.get(join(name)) ?? (alike.length === 1 ? byName.get(alike[0]!) : undefined)
    )
  }
}
