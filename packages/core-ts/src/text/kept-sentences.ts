import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '../base/files.js'
import { matrix, type Matrix } from '../base/matrix.js'
import { decodeSafetensors, encodeSafetensors } from '../base/safetensors.js'
import { readBytes } from '../base/files.js'
import { sideBySideRows } from './concatenated-tower.js'
import type { Sentence, SentenceTower } from './sentence-tower.js'

/** Sentences in one file; whoever is stopped loses no more. */
const TOGETHER = 256

/**
 * Vectors of sentences that are not known yet, kept in a folder under the name of their tower: files of some hundred vectors that are written
 * whole and never changed, so that several processes may share it. A damaged file is passed over.
 */
export async function embedKept(
  tower: SentenceTower,
  sentences: readonly Sentence[],
  options: { readonly cacheFolder?: string | undefined; readonly signal?: AbortSignal } = {},
): Promise<Matrix> {
  const { cacheFolder, signal } = options
  if (tower.parts !== undefined) {
    const all: Matrix[] = []
    for (const part of tower.parts) all.push(await embedKept(part, sentences, options))
    return sideBySideRows(all)
  }
  const abortable = signal === undefined ? {} : { signal }
  if (cacheFolder === undefined || !tower.costly) return tower.embed(sentences, abortable)
  const folder = join(cacheFolder, tower.id)
  const known = await readKept(folder, tower.cols)
  const out = matrix(sentences.length, tower.cols)
  const missing: number[] = []
  for (const [i, { text }] of sentences.entries()) {
    const vector = known.get(text)
    if (vector === undefined) missing.push(i)
    else out.data.set(vector, i * tower.cols)
  }
  for (let first = 0; first < missing.length; first += TOGETHER) {
    const rows = missing.slice(first, first + TOGETHER)
    const made = await tower.embed(
      rows.map((i) => sentences[i]!),
      abortable,
    )
    for (const [r, i] of rows.entries())
      out.data.set(made.data.subarray(r * tower.cols, (r + 1) * tower.cols), i * tower.cols)
    await keep(
      folder,
      rows.map((i) => sentences[i]!.text),
      made,
    )
  }
  return out
}

async function readKept(folder: string, cols: number): Promise<Map<string, Float32Array>> {
  const known = new Map<string, Float32Array>()
  for (const name of (await readdir(folder).catch(() => [])).toSorted()) {
    if (!name.endsWith('.safetensors')) continue
    try {
      const { tensors, metadata } = decodeSafetensors(await readBytes(join(folder, name)), name)
      const texts = JSON.parse(metadata['sentences'] ?? '[]') as string[]
      const data = tensors.get('vectors')!.data as Float32Array
      if (data.length !== texts.length * cols) continue
      for (const [i, text] of texts.entries()) known.set(text, data.subarray(i * cols, (i + 1) * cols))
    } catch {
      continue
    }
  }
  return known
}

async function keep(folder: string, texts: readonly string[], { rows, cols, data }: Matrix): Promise<void> {
  const sentences = JSON.stringify(texts)
  const name = createHash('sha256').update(sentences).digest('hex').slice(0, 16)
  const tensors = new Map([['vectors', { shape: [rows, cols], data }]])
  await writeFileAtomic(join(folder, `${name}.safetensors`), encodeSafetensors(tensors, { sentences }))
}
