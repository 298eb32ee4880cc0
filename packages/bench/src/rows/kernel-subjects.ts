import { type Backend, nativeBackend } from '@sonotext/core/backend'
import { loadAddon } from '@sonotext/native-cuda'
import { type Subject, threadClock, wallClock } from '../harness/measure.js'
import type { AnyKernelRow } from './kernel-rows.js'

/** One row on one instruction set and number of threads. */
export interface KernelSubject extends Subject {
  readonly row: AnyKernelRow
  readonly isa: string
  readonly threads: number
}

const peakMilliseconds = 3

/** Instruction sets of this CPU with kernels in float32, from the plainest to the widest. */
export function supportedSets(): string[] {
  return loadAddon()
    .instructionSets()
    .filter(({ supported, bf16Only }) => supported && !bf16Only)
    .map(({ name }) => name)
}

export function subjectName(op: string, shape: string, isa: string, threads: number): string {
  return `${op} ${shape}, ${isa} ×${threads}`
}

/**
 * Every row on every instruction set and thread count, as subjects that set the pool's size when they are
 * selected. One thread is timed by what it had of a core, several by the wall clock.
 */
export function kernelSubjects(
  rows: readonly AnyKernelRow[],
  sets: readonly string[],
  threadCounts: readonly number[],
): KernelSubject[] {
  const addon = loadAddon()
  return sets.flatMap((isa) => {
    const backend = nativeBackend({ isa })
    return threadCounts.flatMap((threads) =>
      rows.map((row) => ({
        ...{ row, isa, threads, work: row.operations },
        name: subjectName(row.op, row.shape, isa, threads),
        clock: threads === 1 ? threadClock() : wallClock,
        select: () => void (addon.threads() === threads || addon.setThreads(threads)),
        run: () => runRow(backend, row),
        peak: {
          group: `${isa} ×${threads}`,
          measure: () => addon.fmaPeak(isa, threads, peakMilliseconds) * 1e9,
        },
      })),
    )
  })
}

function runRow(backend: Backend, { op, args }: AnyKernelRow): void {
  ;(backend.run as (op: string, args: unknown) => void)(op, args)
}
