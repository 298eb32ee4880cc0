import type { Backend } from '../backend/port.js'
import { expected } from '../base/errors.js'
import type { Loss, RunningLoss } from '../losses/index.js'
import type { Parameter } from '../nn/tensor.js'
import type { BatchSource } from './batch-source.js'

/** One thing to train for: a loss over batches of a source. */
export interface Objective {
  source: BatchSource
  loss: Loss
  /** Factor of the loss in the sum. Default 1. */
  weight?: number
  /** In statistics and checkpoints. Default: the name of the loss. */
  name?: string
}

/** An objective with the part of its loss that has state. */
export interface RunningObjective {
  readonly name: string
  readonly source: BatchSource
  readonly loss: Loss
  readonly running: RunningLoss
  readonly weight: number
}

/** What a trainer's options name: its objectives, or the one of `data` and `loss`. Throws INVALID_ARGUMENT for both or neither. */
export function objectivesOf({
  data,
  loss,
  objectives,
}: {
  readonly data?: BatchSource
  readonly loss?: Loss
  readonly objectives?: readonly Objective[]
}): readonly Objective[] {
  if (objectives !== undefined) {
    if (data === undefined && loss === undefined) return objectives
    throw expected('either objectives or data and loss', 'createTrainer', 'both')
  }
  if (data === undefined || loss === undefined)
    throw expected(
      'data and loss, or objectives',
      'createTrainer',
      data === undefined ? 'no data' : 'no loss',
    )
  return [{ source: data, loss }]
}

/** Throws INVALID_ARGUMENT for weights that make no sense, no objective at all, and two of one name. */
export function startObjectives(objectives: readonly Objective[], backend: Backend): RunningObjective[] {
  if (objectives.length === 0) throw expected('one objective or more', 'objectives', 'none')
  const names = new Set<string>()
  for (const { loss, weight = 1, name = loss.name } of objectives) {
    if (!(weight > 0 && Number.isFinite(weight)))
      throw expected('a number above 0', `weight of objective ${name}`, weight)
    if (/[./]/.test(name)) throw expected('a name without dots and slashes', 'objectives', name)
    if (names.has(name)) {
      throw expected('names of their own', 'objectives', `"${name}" twice`, {
        remedy: 'Give each a name: { name, source, loss }.',
      })
    }
    names.add(name)
  }
  return objectives.map(({ source, loss, weight = 1, name = loss.name }) => ({
    name,
    source,
    loss,
    running: built(loss, backend),
    weight,
  }))
}

/** A loss of somebody else may lack what only a step asks for, long after its name was found. Throws INVALID_ARGUMENT naming the loss. */
function built(loss: Loss, backend: Backend): RunningLoss {
  const running = loss.build(backend)
  const lacking = (['compute', 'parameters', 'buffers'] as const).filter(
    (name) => typeof (running as Partial<RunningLoss> | undefined)?.[name] !== 'function',
  )
  if (lacking.length === 0) return running
  throw expected(
    '{ compute, parameters, buffers }',
    `what build of the loss ${loss.name} gives`,
    `no ${lacking.join(', no ')}`,
    {
      remedy:
        'A loss that trains nothing of its own gives empty maps: parameters: () => new Map(), buffers: () => new Map().',
    },
  )
}

/** What is prefixed to the names that belong to an objective: nothing where there is only one. */
export function prefixOf({ name }: RunningObjective, all: readonly RunningObjective[]): string {
  return all.length === 1 ? '' : `${name}.`
}

/** Parameters that losses own, as `loss.logTemperature`, or `loss.<objective>.logTemperature` where there are several. */
export function lossParameters(all: readonly RunningObjective[]): Map<string, Parameter> {
  return new Map(
    all.flatMap((objective) =>
      [...objective.running.parameters()].map(
        ([name, parameter]) => [`loss.${prefixOf(objective, all)}${name}`, parameter] as const,
      ),
    ),
  )
}
