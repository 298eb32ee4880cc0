import process from 'node:process'
import { inspect } from 'node:util'
import type { Command } from 'commander'
import type { CommandBody } from './command.js'
import { errorText, exitCode, exitCodeOf } from './exit.js'
import { interruptSignal } from './interrupt.js'
import { Terminal } from './terminal.js'

/** Loads the command's file only when it runs. */
export function run<Options>(load: () => Promise<{ default: CommandBody<Options, never> }>) {
  return async function (this: Command, ...args: unknown[]): Promise<void> {
    const options = this.optsWithGlobals() as Options & { json?: boolean; quiet?: boolean; plugin: string[] }
    const terminal = new Terminal({ json: options.json ?? false, quiet: options.quiet ?? false })
    const unfinished = () => {
      terminal.error(
        `${fullName(this)}: nothing is left to wait for, and yet the work has not come to its end. A plugin that waits for what never comes does this.`,
      )
      process.exitCode = exitCode.failure
    }
    process.once('beforeExit', unfinished)
    try {
      if (options.plugin.length > 0) await (await import('@sonotext/core/runs')).loadPlugins(options.plugin)
      const positional = args.slice(0, -2)
      const { checkOutputs } = await import('./outputs.js')
      checkOutputs(options as Record<string, unknown>, positional)
      const command = (await load()).default as CommandBody<Options, readonly unknown[]>
      process.exitCode = await command(
        { terminal, signal: interruptSignal(terminal) },
        options,
        ...positional,
      )
    } catch (error) {
      terminal.error(`${fullName(this)}: ${errorText(error)}`)
      if (process.env.SONOTEXT_DEBUG) terminal.error(inspect(error))
      process.exitCode = exitCodeOf(error)
    } finally {
      process.off('beforeExit', unfinished)
      process.removeAllListeners('SIGINT')
      process.removeAllListeners('SIGTERM')
    }
  }
}

/** `sonotext relevance import` */
function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`
}
