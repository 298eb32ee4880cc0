export {
  type GroundedCaption,
  type GroundedPhrase,
  groundedSegments,
  parseAudioGrounding,
  readAudioGrounding,
} from './audio-grounding.js'
export * from './formats.js'
export {
  type LabelledSegment,
  type RecordingSegments,
  type SegmentFormat,
  stemOf,
  withoutLength,
} from './recording-segments.js'
export { inMicroseconds, segmentIou, spanIou, type TimeSpan } from './time-span.js'
