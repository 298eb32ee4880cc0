import type { Terminal } from './terminal.js'

/** What every command gets besides its own options. */
export interface CommandContext {
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

/** A command returns its exit code; throwing is failure. */
export type CommandBody<Options, Args extends readonly unknown[] = []> = (
  context: CommandContext,
  options: Options,
  ...args: Args
) => Promise<number>
