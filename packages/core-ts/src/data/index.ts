export * from './manifest.js'
export type { ManifestCaption, ManifestEvent, ManifestLine } from './manifest-line.js'
