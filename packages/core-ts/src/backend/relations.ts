import { expected } from '../base/errors.js'
import type { OpArgs, OpName } from './port.js'

type Relation<K extends OpName> = (args: OpArgs[K]) => void

/** What {@link checkArgs} asks of an op's arguments beyond types and sizes. */
export const relations: { readonly [K in OpName]?: Relation<K> } = {
  log_mel: (a) => {
    const samples = a.pcm.length
    const reach = Math.max(a.pad, (a.frames - 1) * a.hop - a.pad + a.nFft - samples)
    if (a.padMode === 1 && a.frames > 0 && reach >= samples) {
      throw expected(`more than ${reach} samples to mirror`, 'log_mel.pcm', samples)
    }
    ascending('log_mel.filterOffset', a.filterOffset)
    const bins = Math.floor(a.nFft / 2) + 1
    for (let b = 0; b < a.bands; b++) {
      const start = a.filterStart[b]!
      const end = start + a.filterOffset[b + 1]! - a.filterOffset[b]!
      if (start < 0 || end > bins) {
        throw expected(`bins within [0, ${bins})`, `log_mel.filterStart[${b}]`, `[${start}, ${end})`)
      }
    }
  },
  frame_score: frameScoreLengths('frame_score'),
  frame_score_backward: frameScoreLengths('frame_score_backward'),
  triplet: (a) => {
    ascending('triplet.audioOffsets', a.audioOffsets)
    ascending('triplet.textOffsets', a.textOffsets)
    within('triplet.audioIndex', a.audioIndex, a.n)
    within('triplet.textIndex', a.textIndex, a.n)
  },
  info_nce: (a) => {
    if ((a.excludeOffsets === null) !== (a.excludeIndex === null)) {
      throw expected('excludeOffsets and excludeIndex together', 'info_nce', 'one of them')
    }
    if (a.excludeOffsets !== null) ascending('info_nce.excludeOffsets', a.excludeOffsets)
    if (a.excludeIndex !== null) within('info_nce.excludeIndex', a.excludeIndex, a.n)
  },
  conv2d_backward: (a) => {
    if (a.out === null && a.slope !== 1) {
      throw expected('the forward result when slope is not 1', 'conv2d_backward.out', a.out)
    }
  },
  interpolate: (a) => sourceFrames('interpolate.l', a),
  interpolate_backward: (a) => sourceFrames('interpolate_backward.l', a),
  embedding: (a) => within('embedding.tokens', a.tokens, a.vocabulary),
  embedding_backward: (a) => within('embedding_backward.tokens', a.tokens, a.vocabulary),
  masked_mean: (a) => within('masked_mean.lengths', a.lengths, a.t + 1),
  masked_mean_backward: (a) => within('masked_mean_backward.lengths', a.lengths, a.t + 1),
}

function frameScoreLengths(op: 'frame_score' | 'frame_score_backward') {
  return (a: OpArgs['frame_score' | 'frame_score_backward']): void => {
    within(`${op}.frameLengths`, a.frameLengths, a.maxFrames + 1)
    within(`${op}.wordLengths`, a.wordLengths, a.maxWords + 1)
  }
}

function sourceFrames(name: string, a: { l: number; t: number }): void {
  if (a.l === 0 && a.t > 0) throw expected('1 or more frames to interpolate', name, a.l)
}

/** Every element in [0, end). */
function within(name: string, values: Int32Array, end: number): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (value < 0 || value >= end) throw expected(`an index in [0, ${end})`, `${name}[${i}]`, value)
  }
}

/** Offsets of ragged rows: from 0, never falling. */
function ascending(name: string, offsets: Int32Array): void {
  if (offsets[0] !== 0) throw expected('0', `${name}[0]`, offsets[0])
  for (let i = 1; i < offsets.length; i++) {
    if (offsets[i]! < offsets[i - 1]!)
      throw expected(`${offsets[i - 1]} or more`, `${name}[${i}]`, offsets[i])
  }
}
