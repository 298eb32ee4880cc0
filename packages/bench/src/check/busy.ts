import { cpus } from 'node:os'

/** Watches how many cores other processes keep busy, on the machine as this process sees it. */
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
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) / 1000
}

function ownSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
