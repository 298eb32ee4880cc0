// The declarations stay in src: the compiler does not copy .d.ts files to dist.
export type {
  Addon,
  ArgInfo,
  BufferHandle,
  BuildInfo,
  CancelToken,
  DeviceHandle,
  DeviceSummary,
  InstructionSet,
  NativeArgs,
  Nccl,
  NcclSummary,
  OpArgs,
  OpInfo,
  OpName,
} from '../src/addon.js'
export { type GpuRun, gpuRuns } from './gpu-runs.js'
export type { Attempt } from './explain.js'
export { AddonLoadError, candidates, loadAddon } from './load.js'
