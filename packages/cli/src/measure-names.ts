import { measures } from '@sonotext/core/metrics'
import { UsageError } from './exit.js'

/** `R@1, mAP@10` → names, checked before any work is done. */
export function measureNames(text: string): string[] {
  const names = text.split(',').map((name) => name.trim())
  try {
    return measures(...names).map(({ name }) => name)
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error })
  }
}
