import { expected, SonotextError } from '../../base/errors.js'
import { type Matrix, matrix, row } from '../../base/matrix.js'
import { checkOptions } from '../../base/options.js'
import { correlatedMaps, type StandardizedMap } from './canonical-correlations.js'
import { type Start, startPart } from './start.js'

/** Options of {@link canonicalStart}. */
export interface CanonicalStartOptions {
  /** Added to the variances of the numbers of clips, as a share of their mean, above 0. Default 0.3. */
  ridge?: number
  /** The same for the numbers of captions. Default 0.02. */
  textRidge?: number
  /** Directions count by their correlation to this power, 0 or more. Default 2. */
  power?: number
  /** Where the tower's vectors are kept: mean length of the directions beside that of the regression, above 0. Default 1.5. */
  balance?: number
}

/**
 * Heads begin where clips and captions correlate most (canonical correlation analysis; Hotelling 1936). Where the text encoder keeps the
 * vectors of its tower, the audio side begins as a ridge regression of them. For linear heads behind one vector a clip.
 */
export function canonicalStart(options: CanonicalStartOptions = {}): Start {
  const { ridge = 0.3, textRidge = 0.02, power = 2, balance = 1.5 } = checkOptions(options, 'canonicalStart')
  for (const [name, value] of [
    ['ridge', ridge],
    ['textRidge', textRidge],
    ['balance', balance],
  ] as const) {
    if (!(value > 0 && value < Infinity)) throw expected('a number above 0', name, value)
  }
  if (!(power >= 0 && power <= 16)) throw expected('a number in 0–16', 'power', power)
  return {
    name: 'canonical',
    async apply({ audio, text }, { clips, captions, signal }) {
      const { begin } = audio
      const behind = text.behindVectors
      if (begin === undefined) throw notLinear('audio')
      if (behind === undefined || text.towerVectors === undefined) throw notLinear('text')
      const long = clips.find(({ rows }) => rows !== 1)
      if (long !== undefined) {
        throw expected('features of one vector a clip', 'the canonical start', `${long.rows}`, {
          remedy: 'Name statistics to pool by (features.pool), or leave model.start out.',
        })
      }
      const pairs = {
        audio: stacked(clips, audio.bands),
        text: text.towerVectors(captions.flat()),
        clipOf: captions.flatMap((own, clip) => own.map(() => clip)),
      }
      const rank = behind.headed
      const options = { rank: Math.max(1, rank), ridge, textRidge, power, signal }
      const maps = await correlatedMaps(pairs, options)
      const parts = [
        ...(behind.kept > 0 ? [maps.regression] : []),
        ...(rank > 0 ? [lengthened(maps.audio, balance)] : []),
      ]
      begin.call(audio, sideBySide(parts))
      if (rank > 0) behind.begin(maps.text)
    },
  }
}

function stacked(clips: readonly Matrix[], cols: number): Matrix {
  const all = matrix(clips.length, cols)
  for (const [i, { data }] of clips.entries()) row(all, i).set(data.subarray(0, cols))
  return all
}

function lengthened(map: StandardizedMap, by: number): StandardizedMap {
  const { rows, cols, data } = map.weight
  return {
    ...map,
    weight: matrix(
      rows,
      cols,
      data.map((value) => by * value),
    ),
  }
}

/** Maps of the same input with their outputs one behind the other. */
function sideBySide(parts: readonly StandardizedMap[]): StandardizedMap {
  const outputs = parts.reduce((sum, { weight }) => sum + weight.rows, 0)
  const weight = matrix(outputs, parts[0]!.weight.cols)
  let at = 0
  for (const { weight: own } of parts) {
    weight.data.set(own.data, at)
    at += own.data.length
  }
  return { ...parts[0]!, weight }
}

function notLinear(side: string): SonotextError {
  return new SonotextError(
    'UNSUPPORTED',
    `Expected linear heads behind vectors for the canonical start, got another ${side} encoder.`,
    {
      remedy:
        'It goes with model.audio: projection and a text tower, without hidden layers and without normalize; else leave model.start out.',
    },
  )
}

export const canonicalPart = startPart({
  name: 'canonical',
  description:
    'Linear heads begin where clips and captions correlate most (canonical correlation analysis), computed in seconds.',
  schema: {
    properties: {
      ridge: {
        type: 'number',
        exclusiveMinimum: 0,
        default: 0.3,
        description: 'Added to the variances of numbers of clips, as a share of their mean.',
      },
      textRidge: {
        type: 'number',
        exclusiveMinimum: 0,
        default: 0.02,
        description: 'The same for captions.',
      },
      power: {
        type: 'number',
        minimum: 0,
        maximum: 16,
        default: 2,
        description: 'Directions count by their correlation to this power.',
      },
      balance: {
        type: 'number',
        exclusiveMinimum: 0,
        default: 1.5,
        description:
          'With a gate: mean length of the directions beside that of the regression of the tower’s vectors.',
      },
    },
  },
  fromConfig: canonicalStart,
})
