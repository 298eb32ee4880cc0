import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { type PairLossOptions, pairLossCall, positivesOf } from './info-nce.js'
import { assertShape } from './shapes.js'

/** Options of {@link sigmoidPair}. */
export interface SigmoidPairOptions extends PairLossOptions {
  /** [1] added to every score; trained when it is a parameter. */
  bias: Tensor
  /** What other pairs of the anchor's own clip are: left out ('own-pair') or positives ('same-clip'). Default 'own-pair'. */
  positives?: 'own-pair' | 'same-clip'
}

/** What {@link sigmoidPair} can tell of a batch. */
export interface SigmoidPairStats {
  readonly loss: number
  /** Mean of σ(score + bias) over the positives, and over all others. */
  readonly onPositives: number
  readonly onOthers: number
  /** Mean inner product of the pairs, not divided by the temperature. */
  readonly meanPositive: number
  /** Where they are trained: as they were for this batch. */
  readonly temperature?: number
  readonly bias?: number
}

/** Value and statistics of {@link sigmoidPair}. */
export interface SigmoidPairLoss {
  /** [1] */
  readonly loss: Tensor
  /** Reads the statistics; on a device this waits for the step so far. Valid until the tape ends. */
  stats(): SigmoidPairStats
}

/**
 * A yes or no for every clip and caption of a batch (Zhai et al. 2023, arXiv 2303.15343): -1/n Σ_ij ln σ(z_ij·(S_ij + bias)) with
 * S = audio·textᵀ / τ and z = 1 for positives, -1 for others. audio and text are [n, d], usually unit vectors; with text null audio is
 * the matrix of scores [n, n]. Never keeps an n × n matrix of its own.
 */
export function sigmoidPair(
  tape: Tape,
  audio: Tensor,
  text: Tensor | null,
  options: SigmoidPairOptions,
): SigmoidPairLoss {
  const { groups, logTemperature, bias, positives, exclude = null } = options
  const call = pairLossCall(tape, 'sigmoidPair', audio, text, logTemperature)
  assertShape('bias of sigmoidPair', bias, [1])
  const gradBias = tape.gradientFor(bias)
  if (gradBias !== null) call.gradients.push([bias, gradBias])
  tape.backend.run('sigmoid_pair', {
    ...call.args,
    groups,
    excludeOffsets: exclude?.offsets ?? null,
    excludeIndex: exclude?.index ?? null,
    bias: bias.buffer,
    gradBias,
    positives: positivesOf('sigmoidPair', positives),
  })
  return {
    loss: call.loss(),
    stats() {
      const [values, temperature] = call.read(bias.requiresGrad ? [bias] : [])
      const [loss, onPositives, onOthers, meanPositive] = values as [number, number, number, number]
      const learned = { ...temperature, ...(bias.requiresGrad && { bias: values[4]! }) }
      return { loss, onPositives, onOthers, meanPositive, ...learned }
    },
  }
}
