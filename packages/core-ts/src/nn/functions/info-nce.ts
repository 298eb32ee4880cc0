import { expected } from '../../base/errors.js'
import type { Matrix } from '../../base/matrix.js'
import type { RaggedIndices, RaggedWeights } from '../../base/ragged.js'
import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { lossOf, recordLoss } from './loss.js'
import { readTogether } from './read-together.js'
import { assertShape, axes } from './shapes.js'
import { checkTargetWeights } from './target-weights.js'

/** What losses over the scores of every clip with every caption of a batch have in common. */
export interface PairLossOptions {
  /** [n] clip id of each pair. */
  groups: Int32Array
  /** [1] ln τ; trained when it is a parameter. */
  logTemperature: Tensor
  /** Pairs to leave out, for example suspected false negatives: caption j against clip i when j is in list i. */
  exclude?: RaggedIndices | null
}

/** Options of {@link infoNce}. */
export interface InfoNceOptions extends PairLossOptions {
  /**
   * What other pairs of the anchor's own clip are: 'own-pair' leaves them out of the denominators, 'same-clip' lets them
   * share the positive mass evenly. Default 'own-pair'.
   */
  positives?: 'own-pair' | 'same-clip'
  /**
   * Soft targets: how much caption j is a match of clip i, 0 or more. A clip's target over the captions is its row divided by
   * its sum, a caption's over the clips its column; those whose weights add up to less than 1e-30 have none. Default null.
   */
  targets?: Matrix | RaggedWeights | null
  /** Share of the target mass that lies on the positives, 0 to 1, beside `targets`. Default 1 without targets, else 0. */
  hard?: number
  /** Factors of the cross-entropy of clips over captions and of captions over clips, 0 or more. Default 1 and 1. */
  directions?: { readonly audioToText: number; readonly textToAudio: number }
}

/** What {@link infoNce} can tell of a batch. */
export interface InfoNceStats {
  readonly loss: number
  /** Share of clips whose best caption in the batch is a positive. */
  readonly audioToText: number
  /** Share of captions whose best clip in the batch is a positive. */
  readonly textToAudio: number
  /** Mean inner product of the pairs, not divided by the temperature. */
  readonly meanPositive: number
  /** Where it is trained: as it was for this batch. */
  readonly temperature?: number
}

/** Value and statistics of {@link infoNce}. */
export interface InfoNceLoss {
  /** [1] */
  readonly loss: Tensor
  /** Reads the statistics; on a device this waits for the step so far. Valid until the tape ends. */
  stats(): InfoNceStats
}

/**
 * InfoNCE over a batch of pairs, both directions summed: with S = audio·textᵀ / τ the mean over i of the cross-entropy of
 * row i plus that of column i (DCASE 2023 task 6b baseline; van den Oord et al. 2018, arXiv 1807.03748), against the pairs
 * themselves or soft targets. audio and text are [n, d], usually unit vectors; with text null audio is the matrix of scores [n, n].
 * Never keeps an n × n matrix of its own.
 */
export function infoNce(
  tape: Tape,
  audio: Tensor,
  text: Tensor | null,
  options: InfoNceOptions,
): InfoNceLoss {
  const { groups, logTemperature, positives, exclude = null, targets = null } = options
  const { hard = targets === null ? 1 : 0, directions = { audioToText: 1, textToAudio: 1 } } = options
  const call = pairLossCall(tape, 'infoNce', audio, text, logTemperature)
  if (targets !== null) checkTargetWeights(targets, call.args.n, 'targets of infoNce')
  const soft = targets === null ? null : uploaded(tape, targets)
  tape.backend.run('info_nce', {
    ...call.args,
    groups,
    excludeOffsets: exclude?.offsets ?? null,
    excludeIndex: exclude?.index ?? null,
    targets: soft !== null && soft.lists === null ? soft.weights.buffer : null,
    targetOffsets: soft?.lists?.offsets ?? null,
    targetIndex: soft?.lists?.index ?? null,
    targetWeights: soft !== null && soft.lists !== null ? soft.weights.buffer : null,
    positives: positivesOf('infoNce', positives),
    hard,
    toText: directions.audioToText,
    toAudio: directions.textToAudio,
  })
  if (soft !== null) tape.release(soft.weights.buffer)
  return {
    loss: call.loss(),
    stats() {
      const [values, temperature] = call.read()
      const [loss, audioToText, textToAudio, meanPositive] = values as [number, number, number, number]
      return { loss, audioToText, textToAudio, meanPositive, ...temperature }
    },
  }
}

/** Memory for the gradients of an op that takes clips and captions, or their scores, and gives its value with gradients. */
export function pairLossCall(
  tape: Tape,
  name: string,
  audio: Tensor,
  text: Tensor | null,
  logTemperature: Tensor,
) {
  const [n, d] = axes(`audio of ${name}`, audio, 'n', 'd')
  if (text === null) assertShape(`audio of ${name} without text`, audio, [n, n])
  else assertShape(`text of ${name}`, text, [n, d])
  assertShape(`logTemperature of ${name}`, logTemperature, [1])
  const stats = tape.result([4], [])
  const gradAudio = tape.alloc(audio.size)
  const gradText = text === null ? null : tape.alloc(text.size)
  const gradLogTemperature = tape.gradientFor(logTemperature)
  const gradients = [[audio, gradAudio] as const]
  if (text !== null && gradText !== null) gradients.push([text, gradText])
  if (gradLogTemperature !== null) gradients.push([logTemperature, gradLogTemperature])
  return {
    stats,
    gradients,
    args: {
      ...{ audio: audio.buffer, text: text?.buffer ?? null, logTemperature: logTemperature.buffer },
      ...{ gradAudio, gradText, gradLogTemperature, stats: stats.buffer, n, d },
    },
    /** The four statistics, the temperature where it is trained, and the numbers of `more`, in one reading. */
    read(more: readonly Tensor[] = []) {
      const learned = logTemperature.requiresGrad ? [logTemperature] : []
      const [...numbers] = readTogether(tape, [stats, ...more, ...learned])
      const temperature = learned.length > 0 ? { temperature: Math.exp(numbers.pop()!) } : {}
      return [numbers, temperature] as const
    },
    /** The value, once the op has run. */
    loss(): Tensor {
      const inputs = gradients.map(([input]) => input)
      const loss = lossOf(tape, stats, inputs)
      recordLoss(tape, loss, gradients)
      return loss
    },
  }
}

/** Throws INVALID_ARGUMENT for what is neither. */
export function positivesOf(name: string, positives: 'own-pair' | 'same-clip' = 'own-pair'): 0 | 1 {
  if (positives !== 'own-pair' && positives !== 'same-clip') {
    throw expected("'own-pair' or 'same-clip'", `positives of ${name}`, positives)
  }
  return positives === 'same-clip' ? 1 : 0
}

function uploaded(tape: Tape, targets: Matrix | RaggedWeights) {
  if ('data' in targets) {
    const weights = tape.constant([targets.rows, targets.cols], targets.data)
    return { weights, lists: null }
  }
  return { weights: tape.constant([targets.weights.length], targets.weights), lists: targets }
}
