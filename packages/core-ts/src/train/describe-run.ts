import type { TrainableModel } from './batch-source.js'
import type { Feed } from './feed.js'
import type { Objective } from './objectives.js'
import type { TrainerOptions } from './options.js'
import type { Description } from './resume.js'
import type { WatchedNumber } from './watched.js'

interface Named {
  readonly name: string
  readonly config?: object
}

/** Everything of a run that its numbers depend on, but for its length. */
export function describeRun<M extends TrainableModel>(
  options: TrainerOptions<M>,
  objectives: readonly Objective[],
  feed: Feed,
  watched: { readonly monitor: WatchedNumber; readonly watch: WatchedNumber } | null,
): Description {
  const { seed, model, guards = [], optimizer, schedule, stopper, validation, mix = 'sum' } = options
  const several = feed.sources.length > 1
  const yardsticks = Object.entries(validation?.yardsticks ?? {})
  return {
    seed,
    architecture: model.config,
    ...Object.assign({}, ...objectives.map((objective) => describeObjective(objective, objectives, feed))),
    ...(several && { mix }),
    ...Object.assign({}, ...guards.map((guard) => named(`guard ${guard.name}`, guard))),
    ...named('optimiser', optimizer),
    ...named('schedule', schedule ?? { name: 'constant' }),
    ...(stopper && named('stopper', stopper)),
    ...Object.fromEntries(
      feed.sources.map((source, i) => [
        `training${several ? ` ${i + 1}` : ''}.fingerprint`,
        source.state.fingerprint,
      ]),
    ),
    ...(validation && {
      'validation.fingerprint': validation.data.state.fingerprint,
      'validation.every': validation.every ?? 1,
      'validation.monitor': watched?.monitor,
      'validation.watch': watched?.watch,
      ...Object.assign({}, ...yardsticks.map(([name, loss]) => named(`validation.${name}`, loss))),
    }),
  }
}

function describeObjective(objective: Objective, all: readonly Objective[], feed: Feed): Description {
  const { loss, weight = 1, name = loss.name, source } = objective
  if (all.length === 1) return { ...named('loss', loss), ...(weight !== 1 && { 'loss.weight': weight }) }
  const path = `objective ${name}`
  const place = { [`${path}.weight`]: weight, [`${path}.source`]: feed.sources.indexOf(source) }
  return { ...named(`${path}.loss`, loss), ...place }
}

/** `loss: triplet-hard`, `loss.margin: 0.5` */
function named(path: string, { name, config = {} }: Named): Description {
  const options = Object.entries(config).map(([key, value]) => [`${path}.${key}`, value] as const)
  return { [path]: name, ...Object.fromEntries(options) }
}
