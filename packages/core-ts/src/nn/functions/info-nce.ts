import { expected } from '../../base/errors.js'
import type { RaggedIndices } from '../../base/ragged.js'
import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { lossOf, recordLoss } from './loss.js'
import { assertShape, axes } from './shapes.js'

export interface InfoNceOptions {
  /** [n] clip id of each pair. */
  groups: Int32Array
  /** [1] ln τ; trained when it is a parameter. */
  logTemperature: Tensor
  /**
   * What other pairs of the anchor's own clip are: 'own-pair' leaves them out of the denominators, 'same-clip' lets them
   * share the positive mass evenly. Default 'own-pair'.
   */
  positives?: 'own-pair' | 'same-clip'
  /** Pairs to leave out, for example suspected false negatives: caption j against clip i when j is in list i. */
  exclude?: RaggedIndices | null
}

export interface InfoNceStats {
  readonly loss: number
  /** Share of clips whose best caption in the batch is a positive. */
  readonly audioToText: number
  /** Share of captions whose best clip in the batch is a positive. */
  readonly textToAudio: number
  /** Mean inner product of the pairs, not divided by the temperature. */
  readonly meanPositive: number
}

export interface InfoNceLoss {
  /** [1] */
  readonly loss: Tensor
  /** Reads the statistics; on a device this waits for the step so far. Valid until the tape ends. */
  stats(): InfoNceStats
}

/**
 * InfoNCE over a batch of pairs, both directions summed: with S = audio·textᵀ / τ the mean over i of the cross-entropy of
 * row i plus that of column i (DCASE 2023 task 6b baseline; van den Oord et al. 2018, arXiv 1807.03748). audio and text
 * are [n, d], usually unit vectors. Never keeps an n × n matrix.
 */
export function infoNce(tape: Tape, audio: Tensor, text: Tensor, options: InfoNceOptions): InfoNceLoss {
  const { groups, logTemperature, positives = 'own-pair', exclude = null } = options
  const [n, d] = axes('audio of infoNce', audio, 'n', 'd')
  assertShape('text of infoNce', text, [n, d])
  assertShape('logTemperature of infoNce', logTemperature, [1])
  if (positives !== 'own-pair' && positives !== 'same-clip') {
    throw expected("'own-pair' or 'same-clip'", 'positives of infoNce', positives)
  }
  const stats = tape.result([4], [])
  const gradAudio = tape.alloc(audio.size)
  const gradText = tape.alloc(text.size)
  const gradLogTemperature = tape.gradientFor(logTemperature)
  tape.backend.run('info_nce', {
    audio: audio.buffer,
    text: text.buffer,
    groups,
    excludeOffsets: exclude?.offsets ?? null,
    excludeIndex: exclude?.index ?? null,
    logTemperature: logTemperature.buffer,
    gradAudio,
    gradText,
    gradLogTemperature,
    stats: stats.buffer,
    n,
    d,
    positives: positives === 'same-clip' ? 1 : 0,
  })
  const loss = lossOf(tape, stats, [audio, text, logTemperature])
  recordLoss(tape, loss, [
    [audio, gradAudio],
    [text, gradText],
    ...(gradLogTemperature === null ? [] : [[logTemperature, gradLogTemperature] as const]),
  ])
  return {
    loss,
    stats() {
      const values = stats.toArray()
      return { loss: values[0]!, audioToText: values[1]!, textToAudio: values[2]!, meanPositive: values[3]! }
    },
  }
}
