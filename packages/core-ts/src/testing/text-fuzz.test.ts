import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  decodeNpyNumbers,
  decodeSafetensors,
  decodeText,
  encodeNpy,
  encodeSafetensors,
  isSonotextError,
  matrix,
  parseCsv,
  Rng,
} from '../base/index.js'
import { readManifest } from '../data/index.js'
import { evaluateRunTexts } from '../metrics/index.js'
import { readWordVectors } from '../text/index.js'
import { mutate } from './mutate-text.js'

/**
 * Every reader of text and of tables is given changed files. It may refuse them, with the library's own error and a sentence or two, and
 * do nothing else: no other error, and no more than so many steps for each byte given. SONOTEXT_FUZZ sets how many files each.
 */
const inputs = Number(process.env.SONOTEXT_FUZZ ?? 2000)
const folder = mkdtempSync(join(tmpdir(), 'text-fuzz-'))
afterAll(() => rmSync(folder, { recursive: true }))

const vectors = (ending: string) =>
  Buffer.concat([
    Buffer.from('4 3\n'),
    ...['dog', 'new york', 'café', 'x'].map((word, i) =>
      Buffer.concat([
        Buffer.from(`${word} `),
        Buffer.from(Float32Array.of(i, 0.5, -1e-3).buffer),
        Buffer.from(ending),
      ]),
    ),
  ])
const tensors = new Map([
  ['a.weight', { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
  ['b', { shape: [2], data: Int32Array.of(7, 8) }],
])
const truth = 'file_name,caption_1,caption_2\na.wav,rain falls,"a dog, twice"\nb.wav,wind,\n'

interface Reader {
  readonly seeds: readonly (string | Uint8Array)[]
  /** Given the bytes and, for those that read files, where they lie. */
  read(bytes: Uint8Array, file: string): unknown
}

const readers: Record<string, Reader> = {
  csv: {
    seeds: [
      truth,
      'sep=;\r\nDatei;Text\r\na.wav;"ein ""Hund"""\r\n;;\r\n',
      Buffer.from('\uFEFFa\tb\r1\t2\r', 'utf16le'),
      'a|b|c\n1|"x\ny"|3\n\n',
    ],
    read: (bytes, file) => {
      const table = parseCsv(decodeText(bytes, file), file)
      for (const row of table.rows) for (const column of table.columns) row.get(column)
    },
  },
  jsonl: {
    seeds: [
      '{"id":"a","audio":"a.wav","captions":["x",{"text":"y","tokens":["y"]}],"split":"train"}\n{"id":"b","audio":"b.wav","events":[{"label":"l","onset":0,"offset":1}],"extra":{"k":[1,2]}}\n',
      Buffer.from('\uFEFF{"id":"ü","audio":"a.wav"}\r\n', 'utf16le').swap16(),
    ],
    read: (_, file) => readManifest(file),
  },
  safetensors: {
    seeds: [Buffer.concat(encodeSafetensors(tensors, { kind: 'x' }))],
    read: (bytes, file) => decodeSafetensors(bytes, file),
  },
  npy: {
    seeds: [encodeNpy(matrix(2, 3, Float32Array.of(1, 2, 3, 4, 5, 6))), encodeNpy(matrix(0, 5))],
    read: (bytes, file) => decodeNpyNumbers(bytes, file),
  },
  'word-vectors': {
    seeds: [
      '2 3\ndog 1 -0.5 2e-3\ncat 0 .5 1.\n',
      'the 1 2 3\n. . . 4 5 6\nat 1 1 1\n',
      vectors('\n'),
      vectors(''),
    ],
    read: (_, file) => readWordVectors(file),
  },
  trec: {
    seeds: ['q1 Q0 d1 1 0.9 tag\nq1 Q0 d 2 2 0.8 tag\nq2\tQ0\tmy doc\t1\t1e3\tt\n'],
    read: (bytes, file) =>
      evaluateRunTexts({ run: decodeText(bytes, file), truth: 'q1 0 d1 1\nq2 0 my doc 2\n', runFile: file }),
  },
  qrels: {
    seeds: ['q1 0 d1 1\nq1 0 my doc 0\nq2\t0\td3\t2.5\n', 'tid,fid,fid_group,rating\nq1,d1,TP,80\n'],
    read: (bytes, file) =>
      evaluateRunTexts({ run: 'q1 Q0 d1 1 1 t\n', truth: decodeText(bytes, file), truthFile: file }),
  },
  dcase: {
    seeds: [
      'caption,file_name_1,file_name_2\nrain falls,a.wav,b.wav\n"a dog, twice",b.wav,a.wav\n',
      `query,audio_filenames\nrain falls,"['a.wav', ""b\\x41's.wav""]"\n`,
    ],
    read: (bytes, file) => evaluateRunTexts({ run: decodeText(bytes, file), truth, runFile: file }),
  },
}

/** Elements that searches over strings and bytes have gone through: a stand-in for time that is the same on every machine. */
let steps = 0

/** Replaces the search of a kind by one that counts. By hand: a mock would keep every call with its text. */
function countSteps(prototype: { indexOf: unknown }): () => void {
  const original = prototype.indexOf as (what: unknown, from?: number) => number
  prototype.indexOf = function (this: { readonly length: number }, what: unknown, from = 0) {
    const found = original.call(this, what, from)
    steps += (found < 0 ? this.length : found) - Math.min(from, this.length) + 1
    return found
  }
  return () => (prototype.indexOf = original)
}
const restore = [String.prototype, Buffer.prototype].map(countSteps)
afterAll(() => restore.forEach((put) => put()))

/** Searches go over the text a few times: as lines, as cells for each delimiter, once more for messages. */
const stepsPerByte = 64
const stepsAnyway = 4096

const kept = new URL('../../test-data/fuzz/', import.meta.url)

describe.each(Object.entries(readers))('%s', (name, { seeds, read }) => {
  async function attempt(bytes: Uint8Array, most = stepsAnyway + stepsPerByte * bytes.length): Promise<void> {
    const file = join(folder, `${name}.bin`)
    writeFileSync(file, bytes)
    steps = 0
    try {
      await read(bytes, file)
    } catch (error) {
      if (!isSonotextError(error)) throw error
      expect(error.message.length).toBeLessThan(1200)
    }
    expect(steps).toBeLessThanOrEqual(most)
  }

  it(`${inputs} changed files are read or refused`, async () => {
    const rng = new Rng(20, name)
    const all = seeds.map((seed) => (typeof seed === 'string' ? Buffer.from(seed) : seed))
    // What is done once, such as compiling the schema, is no work of one file.
    for (const seed of all) await attempt(seed, Infinity)
    for (let i = 0; i < inputs; i++) {
      const bytes = mutate(rng.pick(all), rng)
      await attempt(bytes).catch((cause: unknown) => {
        const found = `${name}-${i}.bin`
        throw new Error(
          `input ${i} (keep it as test-data/fuzz/${found}): ${Buffer.from(bytes).toString('base64')}`,
          { cause },
        )
      })
    }
  }, 3_600_000)

  const files = (existsSync(kept) ? readdirSync(kept) : []).filter((file) => file.startsWith(`${name}-`))
  if (files.length > 0) {
    it('files that were once found', async () => {
      for (const file of files) await attempt(readFileSync(new URL(file, kept)))
    })
  }
})
