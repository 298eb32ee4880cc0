import { AsyncLocalStorage } from 'node:async_hooks'

/** A plugin while its file runs. */
export interface LoadingPlugin {
  /** As messages call it. */
  readonly name: string
  readonly url: string
  /** The plugin that loads it, where one does. */
  readonly outer: LoadingPlugin | undefined
}

const storage = new AsyncLocalStorage<LoadingPlugin>()

/** The plugin that whoever asks is a part of while it loads; undefined otherwise. */
export function pluginBeingLoaded(): LoadingPlugin | undefined {
  return storage.getStore()
}

/** What `work` registers, at once or later, comes from that plugin. */
export function whileLoading(
  { name, url }: Omit<LoadingPlugin, 'outer'>,
  work: () => Promise<void>,
): Promise<void> {
  return storage.run({ name, url, outer: pluginBeingLoaded() }, work)
}
