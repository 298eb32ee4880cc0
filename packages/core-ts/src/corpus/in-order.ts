import { throwIfAborted } from '../base/abort.js'

/**
 * Results of `work` over items in their order, `ahead` of them begun before they are asked for and no more: whoever is slow to take them
 * holds the work back. An error is given to `onError`, which passes over the item by returning; without it, and when it throws, the loop
 * ends. Whatever was begun is told to stop when the loop ends.
 */
export async function* inOrder<T, R>(
  items: readonly T[],
  ahead: number,
  signal: AbortSignal | undefined,
  onError: ((item: T, error: unknown) => void) | undefined,
  work: (item: T, index: number, signal: AbortSignal) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  throwIfAborted(signal)
  const stop = new AbortController()
  const inner = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  const begun: { item: T; result: Promise<R> }[] = []
  let next = 0
  const fill = () => {
    while (next < items.length && begun.length < ahead) {
      const item = items[next]!
      const result = work(item, next++, inner)
      // A failure is met when its turn comes; until then it must not end the process.
      result.catch(() => {})
      begun.push({ item, result })
    }
  }
  try {
    for (fill(); begun.length > 0; fill()) {
      const { item, result } = begun.shift()!
      let value: R
      try {
        value = await result
      } catch (error) {
        throwIfAborted(signal)
        if (onError === undefined) throw error
        onError(item, error)
        continue
      }
      throwIfAborted(signal)
      yield value
    }
  } finally {
    stop.abort()
    await Promise.allSettled(begun.map(({ result }) => result))
  }
}
