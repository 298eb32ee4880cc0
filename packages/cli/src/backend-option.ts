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
  if (options.device !== undefined && !/^(auto|reference|cpu|sealed|cuda(:\d+)?)$/.test(options.device)) {
    throw new UsageError(
      `Expected auto, cpu, cuda, cuda:N or reference for --device, got "${options.device}".`,
    )
  }
  const backend = openBackend({
    ...(options.device === undefined
      ? {}
      : { device: options.device as NonNullable<OpenBackendOptions['device']> }),
    ...(options.threads === undefined ? {} : { threads: options.threads }),
  })
  if (backend.info.device === 'reference' && options.device !== 'reference') {
    terminal.warn(`using the slow reference backend: ${backend.info.reason}`)
  }
  return backend
}
