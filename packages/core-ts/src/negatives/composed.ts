import { expected } from '../base/errors.js'
import type { PartConfig } from '../registry/index.js'
import type { BatchWishes, NegativeStrategy, RememberingStrategy } from './strategy.js'

/** Makes a strategy that is named inside another one. */
export type BuildStrategy = (config: PartConfig) => NegativeStrategy

/** What a strategy made of others says of itself: all that any of them says. */
export function traitsOf(
  parts: readonly NegativeStrategy[],
): Pick<NegativeStrategy, 'needs' | 'nearPositive' | 'easier' | 'earlierPairs' | 'batches'> {
  const own = new Set(parts.map(({ name }) => name))
  const easier = [...new Set(parts.flatMap((part) => part.easier ?? []))].filter((name) => !own.has(name))
  const earlierPairs = Math.max(...parts.map((part) => part.earlierPairs ?? 0))
  const wishes = parts.flatMap(({ batches }) => batches ?? [])
  return {
    needs: [...new Set(parts.flatMap(({ needs }) => needs))],
    nearPositive: parts.some(({ nearPositive }) => nearPositive ?? false),
    easier: easier.length > 0 ? easier : ['random'],
    ...(earlierPairs > 0 && { earlierPairs }),
    ...(wishes.length > 0 && { batches: wishOf(wishes) }),
  }
}

/** Of several the first of each kind: a batch is put together in one way. */
function wishOf(wishes: readonly BatchWishes[]): BatchWishes {
  const [order, writer] = [
    wishes.find((wish) => wish.order)?.order,
    wishes.find((wish) => wish.writer)?.writer,
  ]
  return { ...(order && { order }), ...(writer && { writer }) }
}

/** A strategy by name and options, as in a configuration. */
export function described({ name, config }: NegativeStrategy): object {
  return { type: name, ...config }
}

/**
 * A strategy made of others, with their memory: `combine` gives the whole from its parts, which are begun anew when it is.
 */
export function composed(
  parts: readonly NegativeStrategy[],
  combine: (parts: readonly NegativeStrategy[]) => NegativeStrategy,
): NegativeStrategy {
  if (parts.length < 2) throw expected('two strategies or more', 'strategies', parts.length)
  if (parts.every(({ start }) => start === undefined)) return combine(parts)
  return {
    ...combine(parts),
    start(): RememberingStrategy {
      const running = parts.map((part) => part.start?.() ?? part)
      return {
        ...combine(running),
        state: () => running.map((part) => ('state' in part ? (part as RememberingStrategy).state() : null)),
        restore(state) {
          for (const [i, part] of running.entries())
            if ('restore' in part) (part as RememberingStrategy).restore((state as unknown[])[i])
        },
      }
    },
  }
}
