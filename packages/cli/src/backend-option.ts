import { type Backend, openBackend, type OpenBackendOptions } from '@sonotext/core/backend'
import { UsageError } from './exit.js'
import type { Terminal } from './terminal.js'

/** The options --device and --threads. */
export interface BackendOptions {
  device?: string
  threads?: number
}

/** Opens what the user asked for, and says so where it is not the native addon. */
export function backendOf(options: BackendOptions, terminal: Terminal): Backend {
  const backend = openNamed(options)
  if (backend.info.device === 'reference' && options.device !== 'reference') {
    const [reason] = backend.info.reason.split('\n')
    terminal.warn(`using the slow reference backend: ${reason} \`sonotext doctor\` says what to do.`)
  }
  return backend
}

/** Opens what the user asked for. Throws UsageError for a device that does not exist, BACKEND_UNAVAILABLE for one not here. */
export function openNamed({ device, threads }: BackendOptions): Backend {
  if (device !== undefined && !/^(auto|reference|cpu|sealed|cuda(:\d+)?)$/.test(device)) {
    throw new UsageError(`Expected auto, cpu, cuda, cuda:N or reference for --device, got "${device}".`)
  }
  return openBackend({
    ...(device === undefined ? {} : { device: device as NonNullable<OpenBackendOptions['device']> }),
    ...(threads === undefined ? {} : { threads }),
  })
}
