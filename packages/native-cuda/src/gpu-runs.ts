import type { OpName } from '../src/ops.js'
import runs from './gpu-runs.json' with { type: 'json' }

/** The last time the CUDA kernel of an op was compared with the CPU on a real GPU and agreed. */
export interface GpuRun {
  /** Name of the card. */
  readonly card: string
  readonly commit: string
  /** ISO day. */
  readonly date: string
  /** Whether the kernel's sources, and those it includes, are still the same, or make the same kernels (see `same`). */
  readonly current: boolean
  /** What was compared where the sources have changed since, and was the same. Kernels that came since have not run. */
  readonly same?: string
}

/** By op; an op that has run in emulation only is not there. Written by tools/gpu/record.mjs from the runner's results. */
export const gpuRuns: Readonly<Partial<Record<OpName, GpuRun>>> = runs
