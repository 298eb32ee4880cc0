import { configKeys } from '@sonotext/core/experiment'
import { exitCode } from '../exit.js'
import type { CommandBody } from '../main.js'

/** Prints every configuration key, its default and what it means. */
const config: CommandBody<object> = async ({ terminal }) => {
  terminal.result(configKeys(), (keys) =>
    keys
      .map(({ key, default: value, description }) => {
        const shown =
          value === undefined ? (key === 'data.manifest' ? 'required' : 'none') : JSON.stringify(value)
        return `${key.padEnd(32)} ${shown.padEnd(12)} ${description}`.trimEnd()
      })
      .join('\n'),
  )
  return exitCode.ok
}
export default config
