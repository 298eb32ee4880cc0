export * from './csv.js'
export * from './import/index.js'
export * from './manifest.js'
export type { ManifestCaption, ManifestEvent, ManifestLine } from './manifest-line.js'
