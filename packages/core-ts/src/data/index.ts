export {
  hasAudioEnding,
  hasForeignEnding,
  listAudio,
  passedOverText,
  type AudioListing,
  type AudioListingOptions,
} from './audio-files.js'
export type { Batch, BatchItem, WrittenItem } from './batch-loader.js'
export { Batches, type BatchesOptions, type BatchesState, openBatches } from './batches.js'
export type { BatchPlan, ChosenItem, PlannedClip } from './batch-plan.js'
export { checkClips, type CheckOptions, type CheckReport } from './check.js'
export { isFolder, readCollection, type CollectionOptions } from './collection.js'
export { findLeaks, type Shared, type SharedSound } from './check-leaks.js'
export * from './feature-source.js'
export type { Finding, FindingKind } from './finding.js'
export * from '../base/csv.js'
export * from './import/index.js'
export * from './manifest.js'
export type { ManifestCaption, ManifestEvent, ManifestLine } from './manifest-line.js'
export { nearDuplicates, type NearDuplicate, type NearDuplicatesOptions } from './near-duplicates.js'
export * from './padding.js'
export * from './quarantine.js'
