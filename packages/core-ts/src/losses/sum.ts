import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import type { BatchWishes } from '../negatives/index.js'
import { add, scale } from '../nn/index.js'
import type { PartConfig } from '../registry/index.js'
import { type Loss, type LossOutput, lossPart } from './loss.js'

/** Options of {@link sumLoss}. */
export interface SumLossOptions {
  losses: readonly Loss[]
  /** Factors at the beginning. Default 1 each. */
  weights?: readonly number[]
  /** Factors at the end of `over`; between the two they change evenly. Default: as at the beginning. */
  endWeights?: readonly number[]
  /** Epochs (with fraction) between which weights change. Default [0, 1]. */
  over?: readonly [number, number]
}

/**
 * Several losses on the same batch, each with a factor that may change while training: a contrastive and a listwise part (the dual objective
 * of arXiv 2408.14939), hard and soft targets of a weight of their own.
 */
export function sumLoss(options: SumLossOptions): Loss {
  const { losses, over = [0, 1] } = checkOptions(options, 'sumLoss')
  const weights: readonly number[] = options.weights ?? losses.map(() => 1)
  const { endWeights = weights } = options
  if (losses.length === 0) throw expected('one loss or more', 'losses', losses)
  for (const [name, list] of Object.entries({ weights, endWeights })) {
    if (list.length !== losses.length)
      throw expected(`${losses.length} weights, one for each loss`, name, list)
    const wrong = list.find((weight) => !(weight >= 0 && weight < Infinity))
    if (wrong !== undefined) throw expected('a number of 0 or more', name, wrong)
  }
  const [start, end] = over
  if (!(start >= 0 && end > start)) throw expected('two epochs that rise', 'over', over)
  const weightAt = (i: number, epoch: number) => {
    const done = Math.min(1, Math.max(0, (epoch - start) / (end - start)))
    return weights[i]! + done * (endWeights[i]! - weights[i]!)
  }
  const wishes = losses.flatMap(({ batches }) => batches ?? [])
  return {
    name: `sum-${losses.map(({ name }) => name).join('-')}`,
    config: {
      ...{ weights, endWeights, over },
      losses: losses.map(({ name, config }) => ({ type: name, ...config })),
    },
    ...(wishes.length > 0 && { batches: Object.assign({}, ...wishes.reverse()) as BatchWishes }),
    valueOfEqualScores(n) {
      const all = losses.map((loss) => loss.valueOfEqualScores(n))
      const isSteady = weights.every((weight, i) => weight === endWeights[i])
      if (!isSteady || all.includes(null)) return null
      return all.reduce<number>((sum, value, i) => sum + weights[i]! * value!, 0)
    },
    build(backend) {
      const parts = losses.map((loss) => loss.build(backend))
      const named = <T>(of: (part: (typeof parts)[number]) => ReadonlyMap<string, T>) =>
        new Map(parts.flatMap((part, i) => [...of(part)].map(([name, value]) => [`${i}.${name}`, value])))
      const hasState = parts.some(({ state }) => state !== undefined)
      return {
        parameters: () => named((part) => part.parameters()),
        buffers: () => named((part) => part.buffers()),
        compute(input, rng) {
          const outputs = parts.map((part, i): LossOutput => part.compute(input, rng.fork(i)))
          const factors = outputs.map((_, i) => weightAt(i, input.epoch))
          const loss = outputs
            .slice(1)
            .reduce(
              (sum, output, i) => add(input.tape, sum, output.loss, { beta: factors[i + 1]! }),
              scale(input.tape, outputs[0]!.loss, factors[0]!),
            )
          const picked = outputs.find(({ picks }) => picks !== undefined)
          return {
            loss,
            ...(picked?.picks && { picks: picked.picks }),
            statistics: () => ({
              ...Object.fromEntries(
                outputs.flatMap((output, i) =>
                  Object.entries(output.statistics()).map(([name, value]) => [
                    `${losses[i]!.name}.${name}`,
                    value,
                  ]),
                ),
              ),
              loss: loss.item(),
            }),
          }
        },
        ...(hasState && {
          state: () => parts.map((part) => part.state?.() ?? null),
          restore(state: unknown) {
            for (const [i, part] of parts.entries()) part.restore?.((state as unknown[])[i])
          },
        }),
      }
    },
  }
}

export const sumPart = (build: (config: PartConfig) => Loss) =>
  lossPart({
    name: 'sum',
    description: 'Several losses on the same batch, each with a factor that may change while training.',
    schema: {
      properties: {
        losses: {
          type: 'array',
          items: { family: 'loss' },
          default: [{ type: 'info-nce' }, { type: 'soft-target' }],
          description: 'The losses.',
        },
        weights: {
          type: 'array',
          items: { type: 'number', minimum: 0 },
          description: 'Their factors at the beginning; without the key 1 each.',
        },
        endWeights: {
          type: 'array',
          items: { type: 'number', minimum: 0 },
          description: 'Their factors at the end; without the key as at the beginning.',
        },
        over: {
          type: 'array',
          items: { type: 'number', minimum: 0 },
          minItems: 2,
          maxItems: 2,
          default: [0, 1],
          description: 'Epochs between which the factors change.',
        },
      },
    },
    fromConfig: ({ losses, weights, endWeights, over }) =>
      sumLoss({
        losses: losses.map(build),
        over: over as [number, number],
        ...(weights && { weights }),
        ...(endWeights && { endWeights }),
      }),
  })
