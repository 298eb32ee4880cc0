import type { QuarantinedClip } from '@sonotext/core/data'
import { plural } from './plural.js'
import type { Terminal } from './terminal.js'

const shown = 5

/** Says which clips a command goes on without, and why: the first ones and how many more. */
export function warnOfSetAside(terminal: Terminal, clips: readonly QuarantinedClip[]): void {
  for (const { id, reasons } of clips.slice(0, shown))
    terminal.warn(`set aside "${id}": ${reasons.join(' ')}`)
  if (clips.length > shown) terminal.warn(`set aside ${plural(clips.length - shown, 'more clip')}`)
}
