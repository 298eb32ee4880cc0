// Generated from manifest.schema.json by tools/schema-types.mjs.

/**
 * One line of a Sonotext manifest (JSON Lines): one audio clip with its captions and, where known, its sound events.
 */
export interface ManifestLine {
  /**
   * Name of the clip, unique in the manifest.
   */
  id: string
  /**
   * Audio file, relative to the manifest's folder (with /), or absolute.
   */
  audio: string
  /**
   * Descriptions of the clip: plain texts, or objects where a caption has its own id or tokens.
   */
  captions?: (string | ManifestCaption)[]
  /**
   * Which part of the data the clip belongs to, such as train, validation or test.
   */
  split?: string
  /**
   * The recording the clip was cut from. Clips of one group are never each other's negatives and must not stand in different splits. Default: the clip's own id.
   */
  group?: string
  /**
   * Sound events with known times.
   */
  events?: ManifestEvent[]
  /**
   * Length of the audio in seconds.
   */
  duration?: number
  /**
   * Samples a second of the audio file.
   */
  sampleRate?: number
  /**
   * Keywords or class labels of the whole clip.
   */
  tags?: string[]
  /**
   * Where the recording comes from: a URL or the name of a data set.
   */
  source?: string
  /**
   * Who made the recording, for attribution.
   */
  author?: string
  /**
   * Licence of the recording: a short name or a URL.
   */
  license?: string
  /**
   * Anything else worth keeping; Sonotext carries it along and never reads it.
   */
  extra?: {
    [k: string]: unknown
  }
}
/**
 * A caption of a clip.
 */
export interface ManifestCaption {
  /**
   * Name of the caption, unique in the manifest. Default: the clip's id, # and its number from 1.
   */
  id?: string
  /**
   * The caption as written.
   */
  text: string
  /**
   * The caption's tokens, where they are given rather than derived from the text.
   */
  tokens?: string[]
  /**
   * How much clips fit the caption, 0 to 1, by their ids. A clip that is not named has not been judged.
   */
  relevance?: {
    [k: string]: number
  }
}
/**
 * A sound that is known to be in a clip.
 */
export interface ManifestEvent {
  /**
   * What sounds.
   */
  label: string
  /**
   * Start in seconds from the start of the clip.
   */
  onset: number
  /**
   * End in seconds from the start of the clip.
   */
  offset: number
  /**
   * Root mean square level of the event within the clip, in dB relative to full scale.
   */
  level?: number
  /**
   * The recording the event's sound was taken from, for finding one recording in two splits.
   */
  source?: string
}
