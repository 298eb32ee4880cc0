/** What the readers of one format are given and give back to. */
export interface RowSink {
  readonly path: string
  readonly dim: number
  /** Vectors the header promises; undefined where there is no header. */
  readonly count: number | undefined
  readonly signal: AbortSignal | undefined
  wants(word: string): boolean
  /** Keeps a row; `where` names the place for a message. */
  add(word: string, vector: Float32Array, where: string): void
  /** Counts one vector of the file, kept or not; true once nothing more is needed. */
  passed(): boolean
}
