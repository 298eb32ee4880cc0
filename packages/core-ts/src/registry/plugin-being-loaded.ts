let plugin: string | null = null

/** The plugin whose parts are being registered; null otherwise. */
export function pluginBeingLoaded(): string | null {
  return plugin
}

/** What is registered while `work` runs comes from the plugin of that name. Plugins are loaded one after the other. */
export async function whileLoading(name: string, work: () => Promise<void>): Promise<void> {
  plugin = name
  try {
    await work()
  } finally {
    plugin = null
  }
}
