import { join } from 'node:path'
import { matrix, type Matrix, readCsv, readText, requireColumns, row } from '@sonotext/core/base'
import type { Corpus } from '@sonotext/core/corpus'
import { evaluateScores, type Evaluation, withoutPerQuery } from '@sonotext/core/metrics'
import type { OpenRun } from '@sonotext/core/runs'
import type { SentenceTower } from '@sonotext/core/text'
import { classOracle, linearProbe, probeTimesSentence } from './yardsticks.js'

/** A labelled recording. */
export interface Recording {
  readonly file: string
  readonly label: string
  readonly fold: string
  /** What it was cut from. */
  readonly group: string
}

/** Recordings of a CSV as that of ESC-50. */
export async function readRecordings(csv: string): Promise<Recording[]> {
  const table = await readCsv(csv)
  requireColumns(table, ['filename', 'category', 'fold', 'src_file'])
  return table.rows.map((cells) => ({
    file: cells.get('filename'),
    label: cells.get('category'),
    fold: cells.get('fold'),
    group: cells.get('src_file'),
  }))
}

/** Captions that nobody composed: `file <tab> text` a line. */
export async function readFreeCaptions(file: string): Promise<{ file: string; text: string }[]> {
  const lines = (await readText(file)).split('\n').filter((line) => line !== '')
  return lines.map((line) => {
    const [name, text] = line.split('\t')
    return { file: name!, text: text! }
  })
}

/** The second test: unseen single recordings with free-form captions, and what is reached without any retrieval training. */
export class SingleRecordings {
  readonly clips: readonly Recording[]
  readonly texts: readonly string[]
  readonly #captionClip: readonly number[]
  readonly #measures: readonly string[]

  constructor(
    recordings: readonly Recording[],
    captions: readonly { file: string; text: string }[],
    measures: readonly string[],
  ) {
    const named = new Set(captions.map(({ file }) => file))
    this.clips = recordings.filter(({ file }) => named.has(file))
    const place = new Map(this.clips.map(({ file }, i) => [file, i]))
    const told = captions.filter(({ file }) => place.has(file))
    this.texts = told.map(({ text }) => text)
    this.#captionClip = told.map(({ file }) => place.get(file)!)
    this.#measures = measures
  }

  /** Of scores [clips × captions]. */
  measure(scores: Matrix): Omit<Evaluation, 'perQuery'> {
    return withoutPerQuery(
      evaluateScores(scores, this.#captionClip, {
        measures: this.#measures,
        clips: this.clips.map(({ file }) => file),
        groups: this.clips.map(({ group }) => group),
      }),
    )
  }

  async ofRun(run: OpenRun, corpus: Corpus, folder: string): Promise<Omit<Evaluation, 'perQuery'>> {
    return this.measure(await run.model.score(await vectorsOf(corpus, folder, this.clips), this.texts))
  }

  /** The class by a linear probe over the same vectors, times the sentence encoder's cosine of caption and class name. */
  async byProbe(
    train: readonly Recording[],
    corpus: Corpus,
    folder: string,
    tower: SentenceTower,
  ): Promise<{ evaluation: Omit<Evaluation, 'perQuery'>; accuracy: number }> {
    const labels = [...new Set(train.map(({ label }) => label))].toSorted()
    const [seen, unseen] = [
      stacked(await vectorsOf(corpus, folder, train)),
      stacked(await vectorsOf(corpus, folder, this.clips)),
    ]
    const known = { vectors: seen, labels: train.map(({ label }) => labels.indexOf(label)) }
    const shares = linearProbe(known, unseen, labels.length)
    const right = this.clips.filter(({ label }, i) => {
      const values = row(shares, i)
      return labels[values.indexOf(Math.max(...values))] === label
    })
    const sentences = (texts: readonly string[]) => tower.embed(texts.map((text) => ({ text })))
    const names = await sentences(labels.map((label) => label.replaceAll('_', ' ')))
    return {
      evaluation: this.measure(probeTimesSentence(shares, await sentences(this.texts), names)),
      accuracy: right.length / this.clips.length,
    }
  }

  /** Whoever knows every class, over several draws of the order within a class. */
  byOracle(draws = 20): Omit<Evaluation, 'perQuery'>[] {
    const labels = [...new Set(this.clips.map(({ label }) => label))]
    const clips = this.clips.map(({ label }) => labels.indexOf(label))
    const captions = this.#captionClip.map((clip) => clips[clip]!)
    return Array.from({ length: draws }, (_, seed) => this.measure(classOracle(clips, captions, seed)))
  }
}

export async function vectorsOf(
  corpus: Corpus,
  folder: string,
  recordings: readonly { readonly file: string }[],
): Promise<Matrix[]> {
  const all: Matrix[] = []
  const clips = recordings.map(({ file }) => ({ id: file, audio: join(folder, file) }))
  for await (const { features } of corpus.read(clips)) all.push(features)
  return all
}

/** The first row of each. */
function stacked(all: readonly Matrix[]): Matrix {
  const cols = all[0]!.cols
  const out = matrix(all.length, cols)
  for (const [i, { data }] of all.entries()) out.data.set(data.subarray(0, cols), i * cols)
  return out
}
