import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** Watches how many cores others keep busy: other processes, and other machines on the same hardware as far as this one is told. */
export class Others {
  readonly #start = { all: busySeconds(), own: ownSeconds(), at: performance.now() }

  /** Mean number of cores since this was made; small times are told badly (the system counts hundredths of a second). */
  cores(): number {
    const elapsed = (performance.now() - this.#start.at) / 1000
    const others = busySeconds() - this.#start.all - (ownSeconds() - this.#start.own)
    return elapsed > 0 ? Math.max(0, others / elapsed) : 0
  }
}

/** From so many cores on a machine is busy: what it times proves nothing against a build. */
export const busyFrom = 0.3

function busySeconds(): number {
  const busy = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0)
  return busy / 1000 + stolenSeconds()
}

/** Time that a virtual machine wanted and its host gave to others: the eighth number of Linux's first line, in hundredths; node:os leaves it out. */
export function stolenSeconds(read: () => string = () => readFileSync('/proc/stat', 'utf8')): number {
  try {
    return Number(/^cpu +(?:\d+ +){7}(\d+)/.exec(read())?.[1] ?? 0) / 100
  } catch {
    return 0
  }
}

function ownSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
