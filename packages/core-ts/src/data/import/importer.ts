import { parse } from 'node:path'
import { partOf } from '../../registry/index.js'
import type { Clip } from '../manifest.js'

/** What is to be imported. */
export interface ImportSource {
  /** File of captions, or, for importers that take one, a folder of audio files. */
  readonly path: string
  /** Folder of the audio files; they need not be there yet. */
  readonly audio: string
  /** Split of clips that name none; null: none, where the data set does not need one. Default: what the importer takes from the file’s name. */
  readonly split?: string | null
  /** Told what is not as it should be, as sentences. */
  readonly onNote?: (note: string) => void
}

/** Reads the captions of a data set as clips of a manifest. */
export interface Importer {
  /** Throws INVALID_FILE naming file and line for what cannot be read. */
  read(source: ImportSource): Promise<Clip[]>
}

/** For an importer's row in its family, next to its code. */
export const importerPart = partOf<Importer>()

/** The last word of a file's name: clotho_captions_development.csv → development; audiocaps/train.csv → train. */
export function splitOfName(path: string): string {
  return parse(path).name.split(/[_.-]/).at(-1)!
}

const usualSplits = new Set(
  'train training dev development val valid validation test eval evaluation'.split(' '),
)

/** The same where it is a name that splits usually have; undefined otherwise. */
export function usualSplitOf(path: string): string | undefined {
  const name = splitOfName(path)
  return usualSplits.has(name) ? name : undefined
}
