import type { Backend } from '../backend/port.js'
import type { Matrix } from '../base/matrix.js'
import type { SampleBlocks } from './sample-blocks.js'

/** What can be written as JSON. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain }

/**
 * Where a part comes from, so that a worker thread can make it again: the value that the exported function of a module gives for a
 * plain argument.
 */
export interface Origin {
  /** Specifier or URL that `import()` takes. */
  readonly module: string
  readonly export: string
  readonly argument: Plain
}

/** Makes a part again from where it comes from. Throws what importing the module and making it throw. */
export async function fromOrigin<T>({ module, export: name, argument }: Origin): Promise<T> {
  const exports = (await import(module)) as Record<string, (argument: unknown) => T>
  return exports[name]!(argument)
}

/** Features of a recording as they come: rows that follow each other. */
export interface FeatureBlocks {
  /** Seconds between frames. */
  readonly frameStep: number
  readonly blocks: AsyncIterable<Matrix>
}

/** A way to make features of sound. */
export interface AudioFeatures {
  readonly name: string
  /** Everything that decides what the features are. */
  readonly config: Plain
  /** Names kind and configuration, as a folder can be named; another configuration has another. Kept features lie under it. */
  readonly id: string
  /** Numbers in a frame. */
  readonly cols: number
  /**
   * Seconds from the middle of a frame's own time to the middle of what it hears: half of what a patch is longer than the step between
   * patches. Left out for 0.
   */
  readonly lead?: number
  /** It gives one vector for a whole clip, without time (frameStep 0). Left out for frames. */
  readonly wholeClip?: boolean
  /** Features of one channel of sound, whatever its rate. The result is a function of the samples alone, not of how they are cut into blocks. */
  compute(
    audio: SampleBlocks,
    options: { readonly backend: Backend; readonly signal?: AbortSignal },
  ): FeatureBlocks
  /** Left out, worker threads cannot make it: its work is then done in the main thread. */
  readonly origin?: Origin
  /** Keys that hold its configuration to what it is now, such as the hash of a file: a trained model keeps them. */
  readonly pins?: { readonly [key: string]: Plain }
}

/** A part of a sequence of frames. */
export interface FrameRange {
  /** Default 0. */
  readonly from?: number
  /** Default: all that follow. */
  readonly frames?: number
}

/** Features that were made elsewhere, by id of a clip or of a caption: see `givenFeatures`. */
export interface GivenFeatures {
  readonly name: string
  readonly config: Plain
  readonly id: string
  readonly cols: number
  /** Seconds between frames; 0 where an id has one vector and no time. */
  readonly frameStep: number
  /** As that of {@link AudioFeatures}. */
  readonly lead?: number
  /** Frames of an id; undefined where it has none. */
  framesOf(id: string): number | undefined
  /** Reads no more than is asked for. Throws INVALID_DATA for an id that is not there. */
  read(id: string, range?: FrameRange & { readonly signal?: AbortSignal }): Promise<Matrix>
}

/** What a corpus holds of every clip. */
export type FeatureKind = AudioFeatures | GivenFeatures

/** Whether features of this kind come from elsewhere, by id, and not from sound. */
export function isGiven(kind: FeatureKind): kind is GivenFeatures {
  return 'read' in kind
}
