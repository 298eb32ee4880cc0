import { expected } from '../base/errors.js'
import type { PartConfig } from '../registry/index.js'
import type { NegativeStrategy, RememberingStrategy } from './strategy.js'

/** Makes a strategy that is named inside another one. */
export type BuildStrategy = (config: PartConfig) => NegativeStrategy

/** What a strategy made of others says of itself: all that any of them says. */
export function traitsOf(
  parts: readonly NegativeStrategy[],
): Pick<NegativeStrategy, 'needs' | 'nearPositive' | 'easier' | 'earlierPairs'> {
  const own = new Set(parts.map(({ name }) => name))
  const easier = [...new Set(parts.flatMap((part) => part.easier ?? []))].filter((name) => !own.has(name))
  const earlierPairs = Math.max(...parts.map((part) => part.earlierPairs ?? 0))
  return {
    needs: [...new Set(parts.flatMap(({ needs }) => needs))],
    nearPositive: parts.some(({ nearPositive }) => nearPositive ?? false),
    easier: easier.length > 0 ? easier : ['random'],
    ...(earlierPairs > 0 && { earlierPairs }),
  }
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
