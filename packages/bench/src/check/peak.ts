import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'

/**
 * The peak of this process's resident memory from here on, bytes. On Linux it is the kernel's mark of this program (VmHWM), set back now,
 * so that what was needed before does not cover what comes. The mark that Node gives (maxRSS) would not do: it starts with the size that
 * the parent process had. Where the system has no other mark than that, it is the peak since the start.
 */
export function peakOfThis(): () => number {
  try {
    writeFileSync('/proc/self/clear_refs', '5')
    highWater()
    return highWater
  } catch {
    return () => process.resourceUsage().maxRSS * 1024
  }
}

function highWater(): number {
  const kib = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  if (kib === undefined) throw new Error('/proc/self/status has no VmHWM')
  return Number(kib) * 1024
}
