import { SonotextError } from '../base/errors.js'
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
  readonly instructionSets: readonly { readonly name: string; readonly supported: boolean }[]
  readonly devices: readonly { readonly name: string; readonly available: boolean; readonly detail: string }[]
}

/** Looks at the native addon without opening a device; never throws for an addon that is not there. */
export function machineReport(): MachineReport {
  try {
    const addon = load()
    const build = addon.buildInfo()
    const toolkit = `${Math.floor(build.cuda / 1000)}.${Math.floor((build.cuda % 1000) / 10)}`
    return {
      addonProblem: null,
      compiler: build.compiler,
      cudaToolkit: build.cuda === 0 ? null : toolkit,
      physicalCores: build.physicalCores,
      threads: addon.threads(),
      instructionSets: addon.instructionSets(),
      devices: addon.devices(),
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
    }
  }
}
