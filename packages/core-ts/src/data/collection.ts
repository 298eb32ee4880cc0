import { checkOptions } from '../base/options.js'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { AudioListingOptions } from './audio-files.js'
import { importFolder } from './import/folder.js'
import { type Manifest, readManifest } from './manifest.js'

/** Options of {@link readCollection}. */
export interface CollectionOptions extends AudioListingOptions {
  signal?: AbortSignal
  /** Told what was passed over in a folder, as a sentence. */
  onNote?: (note: string) => void
}

/** The clips of a manifest, or the audio files below a folder. Throws as readManifest and importFolder. */
export async function readCollection(path: string, options: CollectionOptions = {}): Promise<Manifest> {
  checkOptions(options, 'readCollection')
  const { signal, onNote, foreign = false } = options
  if (!(await isFolder(path))) return readManifest(path, signal === undefined ? {} : { signal })
  return { path: resolve(path), clips: await importFolder(path, { foreign, ...(onNote && { onNote }) }) }
}

/** Whether there is a folder of this path. */
export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  )
}
