#!/usr/bin/env node
// An index whose file is longer than the 2 GiB that one read takes: saved, loaded in a process of its own, searched for rows that lie
// on both sides of that limit, within a bound of memory. Run after everything is built. The last line says what was seen.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')
const built = (path) => import(pathToFileURL(join(root, 'packages/core-ts/dist', path)).href)
const { EmbeddingIndex, loadIndex } = await built('retrieval/index.js')
const { matrix } = await built('base/index.js')

const [rows, dim] = [560_000, 1024]
const GiB = 2 ** 30
/** The first row, the last one, and two around byte 2 ** 31 of the numbers. */
const planted = [0, Math.floor(2 ** 31 / (4 * dim)) - 1, Math.floor(2 ** 31 / (4 * dim)) + 1, rows - 1]

/** Zeros but for one number, so that every planted row is the only one that answers its query. */
function queries() {
  const data = new Float32Array(planted.length * dim)
  planted.forEach((_, i) => (data[i * dim + 7 * i] = 1))
  return matrix(planted.length, dim, data)
}

async function save(path) {
  const data = new Float32Array(rows * dim)
  // Every row has a direction of its own quarter that no query looks along.
  for (let row = 0; row < rows; row++) data[row * dim + 512 + (row % 512)] = 1
  planted.forEach((row, i) => (data[row * dim + 7 * i] = 3))
  const ids = Array.from({ length: rows }, (_, row) => `recording ${row}.wav`)
  await EmbeddingIndex.over(matrix(rows, dim, data), ids, { dim }).save(path)
}

async function load(path) {
  const index = await loadIndex(path)
  const hits = await index.search(queries(), 1)
  for (const [i, row] of planted.entries()) {
    const [hit] = hits[i]
    if (hit?.id !== `recording ${row}.wav` || hit.score !== 3)
      throw new Error(`row ${row}: expected its own id with score 3, got ${JSON.stringify(hit)}`)
  }
  const peak = process.resourceUsage().maxRSS * 1024
  const most = 1.5 * statSync(path).size
  if (peak > most)
    throw new Error(
      `loading took ${(peak / GiB).toFixed(2)} GiB, expected at most ${(most / GiB).toFixed(2)} GiB`,
    )
  console.log(
    `${rows} × ${dim}, a file of ${(statSync(path).size / GiB).toFixed(2)} GiB: ${planted.length} rows around 2 GiB found,` +
      ` ${(peak / GiB).toFixed(2)} GiB at most`,
  )
}

const [what, given] = process.argv.slice(2)
if (what === 'save') await save(given)
else if (what === 'load') await load(given)
else {
  const folder = mkdtempSync(join(tmpdir(), 'sonotext-large-'))
  try {
    for (const step of ['save', 'load'])
      execFileSync(
        process.execPath,
        [fileURLToPath(import.meta.url), step, join(folder, 'index.safetensors')],
        {
          stdio: 'inherit',
        },
      )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
