import process from 'node:process'
import type { Terminal } from './terminal.js'

/**
 * First Ctrl-C (or SIGTERM): asks the running work to stop at the next safe point. Second: leaves at once; whatever was
 * written before stays, because every file is written atomically.
 */
export function interruptSignal(terminal: Terminal): AbortSignal {
  const controller = new AbortController()
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(130)
    terminal.note(`${name}: stopping at the next safe point (once more to leave at once)`)
    controller.abort(new Error(name))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return controller.signal
}
