import { SonotextError } from '../base/errors.js'
import {
  type Addon,
  type GpuRun,
  gpuRuns,
  type InstructionSet,
  type NcclSummary,
  type OpName,
} from '@sonotext/native-cuda'
import { load } from './native.js'

/** What the native addon is and can use on this machine. */
export interface MachineReport {
  /** Null when it is loaded; else the whole help text of why it is not. */
  readonly addonProblem: string | null
  readonly compiler: string | null
  /** CUDA toolkit it was compiled with, such as '13.0'; null for a CPU-only build. */
  readonly cudaToolkit: string | null
  readonly physicalCores: number | null
  readonly threads: number | null
  readonly instructionSets: readonly InstructionSet[]
  readonly devices: readonly { readonly name: string; readonly available: boolean; readonly detail: string }[]
  /** What carries data between the GPUs of a data-parallel run, where it was found; null without the addon, and with an older one. */
  readonly nccl: NcclSummary | null
  /** Every op; empty without the addon. */
  readonly ops: readonly OpReport[]
}

/** What computes an op. */
export interface OpReport {
  readonly op: OpName
  /** Widest instruction set of this CPU with a kernel for it. */
  readonly cpu: string
  /** Whether this build has a CUDA kernel. */
  readonly cuda: boolean
  /** When that kernel last agreed with the CPU on a real GPU; null: it has run in emulation only. */
  readonly ranOnGpu: GpuRun | null
}

/** Looks at the native addon without opening a device; never throws for an addon that is not there. */
export function machineReport(): MachineReport {
  try {
    const addon = load()
    const build = addon.buildInfo()
    const instructionSets = addon.instructionSets()
    const whole = instructionSets.filter(({ supported, bf16Only }) => supported && !bf16Only)
    const widest = whole.at(-1)?.name ?? 'scalar'
    const toolkit = `${Math.floor(build.cuda / 1000)}.${Math.floor((build.cuda % 1000) / 10)}`
    return {
      addonProblem: null,
      compiler: build.compiler,
      cudaToolkit: build.cuda === 0 ? null : toolkit,
      physicalCores: build.physicalCores,
      threads: addon.threads(),
      instructionSets,
      devices: addon.devices(),
      nccl: (addon as Partial<Addon>).nccl?.summary() ?? null,
      ops: addon.ops().map(({ name, cuda }) => ({
        op: name,
        cpu: widest,
        cuda,
        ranOnGpu: (cuda ? gpuRuns[name] : undefined) ?? null,
      })),
    }
  } catch (error) {
    if (!(error instanceof SonotextError) || error.code !== 'BACKEND_UNAVAILABLE') throw error
    return {
      addonProblem: error.message,
      compiler: null,
      cudaToolkit: null,
      physicalCores: null,
      threads: null,
      instructionSets: [],
      devices: [],
      nccl: null,
      ops: [],
    }
  }
}
