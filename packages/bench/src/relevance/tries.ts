import { readCsv, row } from '@sonotext/core/base'
import type { Backend } from '@sonotext/core/backend'
import {
  type CaptionedClips,
  type CaptionText,
  type CaptionVectors,
  type RatedPair,
} from '@sonotext/core/relevance'
import { createIndex } from '@sonotext/core/retrieval'

/** A way to tell relevance from captions: similarities by name, and what else is done. */
export interface Try {
  readonly name: string
  readonly features: readonly string[]
  readonly calibration?: 'isotonic' | 'spline'
}

const stems = 'stems:300/mean'

/** Every try that was made, plain ones first. */
export const tries: readonly Try[] = [
  { name: 'plain LSA, mean', features: ['words:200/mean'] },
  { name: 'plain LSA, max', features: ['words:200/max'] },
  { name: 'stems, 100', features: ['stems:100/mean'] },
  { name: 'stems, 200', features: ['stems:200/mean'] },
  { name: 'stems, 300', features: [stems] },
  { name: 'stems, 300, max', features: ['stems:300/max'] },
  { name: 'stems, 300, mean and max', features: [stems, 'stems:300/max'] },
  { name: 'stems, isotonic', features: [stems], calibration: 'isotonic' },
  { name: 'stems, spline', features: [stems], calibration: 'spline' },
  { name: 'stems and pairs', features: ['pairs:300/mean'] },
  { name: 'character n-grams', features: ['characters:300/mean'] },
  { name: 'word vectors of the captions', features: ['word-vectors:300/mean'] },
  { name: 'expanded by 5 neighbours', features: ['neighbours/mean'] },
  { name: 'uploader’s keywords as the only caption', features: ['keywords'] },
  { name: 'stems + characters', features: [stems, 'characters:300/mean'] },
  { name: 'stems + word vectors', features: [stems, 'word-vectors:300/mean'] },
  { name: 'stems + neighbours', features: [stems, 'neighbours/mean'] },
  { name: 'stems + keywords', features: [stems, 'keywords'] },
  {
    name: 'ensemble without keywords',
    features: [stems, 'stems:300/max', 'characters:300/mean', 'word-vectors:300/mean', 'neighbours/mean'],
  },
  {
    name: 'ensemble',
    features: [
      stems,
      'stems:300/max',
      'characters:300/mean',
      'word-vectors:300/mean',
      'neighbours/mean',
      'keywords',
    ],
  },
  {
    name: 'ensemble, isotonic',
    features: [
      stems,
      'stems:300/max',
      'characters:300/mean',
      'word-vectors:300/mean',
      'neighbours/mean',
      'keywords',
    ],
    calibration: 'isotonic',
  },
  { name: 'sentence encoder (USE lite), mean', features: ['use/mean'] },
  { name: 'sentence encoder (USE lite), max', features: ['use/max'] },
  { name: 'sentence encoder + stems', features: ['use/mean', stems] },
  {
    name: 'sentence encoder + ensemble',
    features: [
      'use/mean',
      stems,
      'stems:300/max',
      'characters:300/mean',
      'word-vectors:300/mean',
      'neighbours/mean',
      'keywords',
    ],
  },
]

/** The same pairs with the keywords that the uploader gave the clip in place of its captions. */
export async function keywordPairs(pairs: readonly RatedPair[], metadata: string): Promise<RatedPair[]> {
  const table = await readCsv(metadata, { encoding: 'utf-8-or-latin1' })
  const keywords = new Map(
    table.rows.map((line) => [line.get('fid'), line.get('keywords').replaceAll(/[;_-]/g, ' ')]),
  )
  return pairs.map((pair) => ({
    ...pair,
    captions: [{ id: `keywords of ${pair.clip}`, clip: pair.clip, text: keywords.get(pair.clip) ?? '' }],
  }))
}

/** A caption's vector and, of equal weight, the mean of its `k` nearest captions in a corpus: what it says in other words. */
export function withNeighbours(
  vectors: CaptionVectors,
  corpus: CaptionedClips,
  k: number,
  backend: Backend,
): CaptionVectors {
  const all = vectors.embed(corpus.captions)
  return {
    cols: vectors.cols,
    async embed(captions: readonly CaptionText[]) {
      const known = await all
      const ids = corpus.captions.map(({ id }) => id)
      const index = createIndex({ dim: vectors.cols, backend }).add(known, ids)
      const own = await vectors.embed(captions)
      const hits = await index.search(own, { k: k + 1 })
      for (const [i, list] of hits.entries()) {
        const vector = row(own, i)
        // Not a clip's own captions: the query's own clip must not come in by them.
        const clip = corpus.byId.get(captions[i]!.id ?? '')?.clip
        const near = list.filter(({ id }) => corpus.byId.get(id)!.clip !== clip).slice(0, k)
        for (const { index: place } of near)
          row(known, place).forEach((x, d) => (vector[d]! += x / near.length))
        const norm = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0))
        if (norm > 0) vector.forEach((x, d) => (vector[d] = x / norm))
      }
      return own
    },
  }
}
