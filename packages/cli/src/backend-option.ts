import { type Backend, openBackend, type OpenBackendOptions } from '@sonotext/core/backend'
import { UsageError } from './exit.js'
import type { Terminal } from './terminal.js'

/** The options --device, --matmul and --threads. */
export interface BackendOptions {
  device?: string
  matmul?: NonNullable<OpenBackendOptions['matmul']>
  threads?: number
}

/** Opens what the user asked for, and says so where it is not the native addon. */
export function backendOf(options: BackendOptions, terminal: Terminal): Backend {
  const onFallback = (message: string) =>
    terminal.warn(`${message.split('\n')[0]} \`sonotext doctor\` says what to do.`)
  return openNamed(options, onFallback)
}

/** Opens what the user asked for. Throws UsageError for a device that does not exist, BACKEND_UNAVAILABLE for one not here. */
export function openNamed(
  { device, matmul, threads }: BackendOptions,
  onFallback?: (message: string) => void,
): Backend {
  if (device !== undefined && !/^(auto|reference|cpu|sealed|cuda(:\d+)?)$/.test(device)) {
    throw new UsageError(`Expected auto, cpu, cuda, cuda:N or reference for --device, got "${device}".`)
  }
  return openBackend({
    ...(device === undefined ? {} : { device: device as NonNullable<OpenBackendOptions['device']> }),
    ...(matmul === undefined ? {} : { matmul }),
    ...(threads === undefined ? {} : { threads }),
    ...(onFallback === undefined ? {} : { onFallback }),
  })
}
