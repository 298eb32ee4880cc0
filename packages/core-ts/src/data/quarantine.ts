import { type ErrorCode, expected, isSonotextError, SonotextError } from '../base/errors.js'
import { writeFileAtomic } from '../base/files.js'
import type { Finding } from './finding.js'
import type { Clip } from './manifest.js'

/** Codes of what is wrong with one clip; anything else (a full disk, an abort, a lost device) is wrong with the whole work. */
const clipCodes: readonly ErrorCode[] = [
  'INVALID_FILE',
  'INVALID_DATA',
  'TOO_LONG',
  'MISSING_FILE',
  'UNSUPPORTED',
  'MISSING_DEPENDENCY',
]

/** Whether an error is about one clip, so that work on others can go on without it. */
export function isAboutClip(error: unknown): error is SonotextError {
  return isSonotextError(error) && clipCodes.includes(error.code)
}

/** A clip set aside, and why. */
export interface QuarantinedClip {
  readonly id: string
  readonly audio: string
  readonly reasons: readonly string[]
}

/**
 * Bad clips of a run: set aside with their reasons so that the run goes on without them, until their share passes what is
 * allowed.
 */
export class Quarantine {
  readonly total: number
  readonly maxShare: number
  readonly #clips = new Map<string, { audio: string; reasons: string[] }>()

  /** `total` clips at the start; the largest share of bad ones allowed, in [0, 1], default 0.05. */
  constructor(total: number, maxShare = 0.05) {
    if (!(maxShare >= 0 && maxShare <= 1)) throw expected('a share from 0 to 1', 'maxShare', maxShare)
    this.total = total
    this.maxShare = maxShare
  }

  add(clip: Pick<Clip, 'id' | 'audio'>, reason: string): void {
    const entry = this.#clips.get(clip.id) ?? { audio: clip.audio, reasons: [] }
    if (!entry.reasons.includes(reason)) entry.reasons.push(reason)
    this.#clips.set(clip.id, entry)
  }

  /** Sets aside the clips with an error among the findings of a check. */
  addFindings(findings: readonly Finding[]): void {
    for (const { severity, kind, clip, file, message } of findings) {
      if (severity === 'error') this.add({ id: clip, audio: file }, `${kind}: ${message}`)
    }
  }

  has(clip: Pick<Clip, 'id'>): boolean {
    return this.#clips.has(clip.id)
  }

  /** The clips that are not set aside, in order. */
  keep<C extends Pick<Clip, 'id'>>(clips: readonly C[]): C[] {
    return clips.filter((clip) => !this.has(clip))
  }

  /** In the order in which they were set aside. */
  get clips(): QuarantinedClip[] {
    return Array.from(this.#clips, ([id, { audio, reasons }]) => ({ id, audio, reasons }))
  }

  get share(): number {
    return this.total === 0 ? 0 : this.#clips.size / this.total
  }

  /** True past the allowed share: a command then exits with failure. */
  get exceeded(): boolean {
    return this.share > this.maxShare
  }

  /** Throws INVALID_DATA past the allowed share, naming the first clips and their reasons. */
  refuseExceeded(): void {
    if (!this.exceeded) return
    const clips = this.clips
    const first = clips.slice(0, 3).map(({ id, reasons }) => `"${id}" (${reasons[0]})`)
    const more = clips.length > 3 ? ` and ${clips.length - 3} more` : ''
    throw new SonotextError(
      'INVALID_DATA',
      `${clips.length} of ${this.total} clips are bad (${percent(this.share)}, allowed ${percent(this.maxShare)}): ${first.join(', ')}${more}.`,
      {
        remedy:
          'Correct or remove them (sonotext check names them), or allow a larger share: --max-bad, maxBadShare, or data.maxBadShare of a configuration.',
      },
    )
  }

  /** Writes the clips set aside as JSON Lines, atomically. */
  async save(path: string): Promise<void> {
    await writeFileAtomic(path, this.clips.map((clip) => `${JSON.stringify(clip)}\n`).join(''))
  }
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`
}
