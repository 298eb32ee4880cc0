import type { RunClipsOptions } from '@sonotext/core/runs'
import type { CommandContext } from './command.js'
import type { Progress } from './progress.js'
import { warnOfSetAside } from './set-aside.js'

/** The options --manifest and --max-bad of commands that read the clips of a run. */
export interface RunClipsFlags {
  manifest?: string
  maxBad?: number
}

/** What the library wants to know of them, with progress on the terminal. */
export function runClipsOf(
  { terminal, signal }: CommandContext,
  { manifest, maxBad }: RunClipsFlags,
): RunClipsOptions {
  const bar = (label: string): ((done: number, total: number) => void) => {
    let progress: Progress | null = null
    return (done, total) => {
      progress ??= terminal.progress(label, total, 'clips')
      progress.update(done)
      if (done === total) progress.finish()
    }
  }
  return {
    signal,
    onFeatures: bar('features'),
    onScored: bar('scores'),
    onNote: (note) => terminal.warn(note),
    onSetAside: (clips) => warnOfSetAside(terminal, clips),
    ...(manifest === undefined ? {} : { manifest }),
    ...(maxBad === undefined ? {} : { maxBadShare: maxBad }),
  }
}
