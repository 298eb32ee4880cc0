import type { DecodePolicy } from '../audio/decode.js'
import { throwIfAborted } from '../base/abort.js'
import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { type AudioFacts, inspectAudio, isProblem } from './check-audio.js'
import { findDuplicates, findLeaks, findNearDuplicates, type SharedSound } from './check-leaks.js'
import { checkCaptions, checkEvents, checkStated } from './check-manifest.js'
import type { Finding, FindingKind, Note } from './finding.js'
import type { Clip } from './manifest.js'
import { nearDuplicates } from './near-duplicates.js'

/** Two clips that share a passage. */
export interface ClipPair {
  readonly clip: string
  readonly duplicate: string
  /** Length of the passage. */
  readonly seconds: number
  /** Where it begins in each, seconds. */
  readonly at: number
  readonly duplicateAt: number
}

/** What {@link checkClips} found. */
export interface CheckReport {
  /** In the order of the clips. */
  readonly findings: readonly Finding[]
  /** Clips that sound the same or share a passage, as ids, whatever their splits and groups; a clip without captions too. */
  readonly duplicates: readonly ClipPair[]
  readonly summary: {
    readonly clips: number
    readonly captions: number
    /** Seconds of audio that could be read; 0 when the audio was not looked at. */
    readonly seconds: number
    /** Clips of each sample rate, Hz, as far as they could be read. */
    readonly sampleRates: Readonly<Record<string, number>>
    /** Clips of each split; '' for those without one. */
    readonly splits: Readonly<Record<string, number>>
    /** Findings of each kind that occurs. */
    readonly kinds: Readonly<Partial<Record<FindingKind, number>>>
    /** Clips with an error, and their share of all. */
    readonly bad: number
    readonly badShare: number
  }
}

/** Options of {@link checkClips}. */
export interface CheckOptions {
  /** False looks at the manifest only; default true. */
  audio?: boolean
  /** Default 0.1. */
  minSeconds?: number
  /** Default 600. A longer clip is refused before memory is taken for it. */
  maxSeconds?: number
  /** Whether clips are sought that sound the same or share a passage ({@link nearDuplicates}); default true. */
  nearDuplicates?: boolean
  /** Which recordings are read, and by whom; what is accepted although its end is missing is a warning. */
  decode?: Omit<DecodePolicy, 'maxSeconds'>
  /** A clip whose peak is lower, in dB relative to full scale, counts as silent; default -60. */
  silenceDb?: number
  /** Share of samples in flat tops from which a clip counts as clipped; default 0.001. */
  clippedShare?: number
  /** Files looked at together; default 4. */
  concurrency?: number
  onProgress?: (done: number, total: number) => void
  signal?: AbortSignal
}

/**
 * Looks at every clip: is its audio there, readable, finite, audible, unclipped and of sensible length; do its stated duration,
 * rate and event times fit; does it have captions with words that no other clip has; and does one recording (same
 * content, group or event source, or the same sound as MP3, resampled, louder, shifted or cut) stand in two splits. Nothing is thrown for a bad clip. Throws ABORTED.
 */
export async function checkClips(clips: readonly Clip[], options: CheckOptions = {}): Promise<CheckReport> {
  checkOptions(options, 'checkClips')
  const limits = withDefaults(options)
  const findings = new Map<Clip, Finding[]>(clips.map((clip) => [clip, []]))
  const note = (
    clip: Clip,
    severity: Finding['severity'],
    kind: FindingKind,
    message: string,
    remedy?: string,
  ) => {
    const finding: Finding = { severity, kind, clip: clip.id, file: clip.audio, message }
    findings.get(clip)!.push(remedy === undefined ? finding : { ...finding, remedy })
  }
  const known = options.audio === false ? new Map<Clip, AudioFacts>() : await checkAudio(clips, limits, note)
  for (const clip of clips) {
    checkStated(clip, known.get(clip), note)
    checkEvents(clip, known.get(clip)?.seconds ?? clip.duration, note)
  }
  checkCaptions(clips, note)
  const contents = new Map([...known].map(([clip, { content }]) => [clip, content]))
  const shared = await sharedSounds(clips, known, limits.signal)
  for (const leak of findLeaks(clips, contents, shared)) {
    const message = `shares ${leak.what} with "${leak.with.id}" of the split "${leak.with.split}".`
    note(leak.clip, 'error', 'leak', message, 'Keep all clips of one recording in one split.')
  }
  for (const twin of findDuplicates(clips, contents)) {
    note(
      twin.clip,
      'warning',
      'duplicate',
      `has ${twin.what} as "${twin.with.id}".`,
      'Keep one of them, with the captions of both.',
    )
  }
  for (const near of findNearDuplicates(shared, contents)) {
    note(
      near.clip,
      'warning',
      'near-duplicate',
      `shares ${near.what} with "${near.with.id}"${
        near.with.split === near.clip.split ? '' : ` of the split "${near.with.split ?? ''}"`
      }.`,
      near.with.split === near.clip.split
        ? 'Keep one of them, or give both one group: their captions are then no negatives of each other.'
        : 'Keep one of them, or put both into one split.',
    )
  }
  const all = clips.flatMap((clip) => findings.get(clip)!)
  const duplicates = shared.map((pair) => ({
    clip: pair.with.id,
    duplicate: pair.clip.id,
    seconds: pair.seconds,
    at: pair.withAt,
    duplicateAt: pair.at,
  }))
  return { findings: all, duplicates, summary: summarize(clips, all, known) }
}

interface Passage extends SharedSound {
  /** Where it begins in `clip` and in `with`, seconds. */
  readonly at: number
  readonly withAt: number
}

/** Clips that share sound, the later one first. */
async function sharedSounds(
  clips: readonly Clip[],
  facts: ReadonlyMap<Clip, AudioFacts>,
  signal: AbortSignal | undefined,
): Promise<Passage[]> {
  const heard = clips.flatMap((clip) => {
    const fingerprint = facts.get(clip)?.fingerprint
    return fingerprint === undefined ? [] : { clip, fingerprint }
  })
  const pairs = await nearDuplicates(
    heard.map(({ fingerprint }) => fingerprint),
    signal === undefined ? {} : { signal },
  )
  return pairs.map(({ a, b, seconds, sure, inA, inB }) => ({
    clip: heard[b]!.clip,
    with: heard[a]!.clip,
    seconds,
    sure,
    at: inB,
    withAt: inA,
  }))
}

type Limits = Required<Omit<CheckOptions, 'signal' | 'onProgress' | 'audio'>> &
  Pick<CheckOptions, 'signal' | 'onProgress'>

function withDefaults(options: CheckOptions): Limits {
  const limits = {
    minSeconds: 0.1,
    maxSeconds: 600,
    silenceDb: -60,
    clippedShare: 0.001,
    concurrency: 4,
    nearDuplicates: true,
    decode: {},
    ...options,
  }
  if (!(limits.minSeconds >= 0)) throw expected('0 or more seconds', 'minSeconds', limits.minSeconds)
  if (!(limits.maxSeconds > limits.minSeconds))
    throw expected('more than minSeconds', 'maxSeconds', limits.maxSeconds)
  if (!(limits.concurrency >= 1)) throw expected('1 or more', 'concurrency', limits.concurrency)
  return limits
}

async function checkAudio(
  clips: readonly Clip[],
  limits: Limits,
  note: Note,
): Promise<Map<Clip, AudioFacts>> {
  const facts = new Map<Clip, AudioFacts>()
  let next = 0
  let done = 0
  const worker = async () => {
    while (next < clips.length && limits.signal?.aborted !== true) {
      const clip = clips[next++]!
      const { decode, maxSeconds, signal } = limits
      const result = await inspectAudio(clip.audio, {
        ...decode,
        maxSeconds,
        withFingerprint: limits.nearDuplicates,
        ...(signal === undefined ? {} : { signal }),
      })
      if (isProblem(result)) note(clip, 'error', result.kind, result.message, result.remedy)
      else {
        facts.set(clip, result)
        judge(clip, result, limits, note)
      }
      limits.onProgress?.(++done, clips.length)
    }
  }
  await Promise.all(Array.from({ length: Math.min(limits.concurrency, clips.length) }, worker))
  throwIfAborted(limits.signal)
  return facts
}

function judge(clip: Clip, facts: AudioFacts, limits: Limits, note: Note): void {
  const { seconds, peakDb, channelPeakDb, clippedShare, cutShort } = facts
  const { minSeconds, silenceDb } = limits
  if (cutShort !== undefined) note(clip, 'warning', 'cut', cutShort, 'Copy or download it again if you can.')
  const long = seconds.toFixed(2)
  if (seconds < minSeconds) {
    note(
      clip,
      'error',
      'too-short',
      `lasts ${long} s, less than ${minSeconds} s.`,
      'Leave it out, or lower the limit.',
    )
  }
  if (peakDb < silenceDb) {
    const cancelled = channelPeakDb >= silenceDb
    const peak =
      peakDb === -Infinity
        ? 'holds only zeros'
        : `peaks at ${peakDb.toFixed(1)} dBFS, below ${silenceDb} dBFS`
    note(
      clip,
      'error',
      'silent',
      cancelled ? 'its channels cancel each other when they are averaged.' : `${peak}.`,
      cancelled
        ? 'Keep one channel of it, or turn the phase of the other.'
        : 'Leave it out, or record it louder.',
    )
  }
  if (clippedShare >= limits.clippedShare) {
    const share = (100 * clippedShare).toPrecision(2)
    note(
      clip,
      'warning',
      'clipped',
      `${share} % of its samples stand in flat tops at full scale.`,
      'Use the unclipped original if there is one.',
    )
  }
}

function summarize(
  clips: readonly Clip[],
  findings: readonly Finding[],
  facts: ReadonlyMap<Clip, AudioFacts>,
): CheckReport['summary'] {
  const count = (keys: readonly string[]) => {
    // Names come from the manifest, and may be those of an object's own members.
    const counts = new Map<string, number>()
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
    return Object.fromEntries(counts)
  }
  const bad = new Set(findings.filter(({ severity }) => severity === 'error').map(({ clip }) => clip)).size
  return {
    clips: clips.length,
    captions: clips.reduce((sum, clip) => sum + clip.captions.length, 0),
    seconds: [...facts.values()].reduce((sum, { seconds }) => sum + seconds, 0),
    sampleRates: count([...facts.values()].map(({ sampleRate }) => String(sampleRate))),
    splits: count(clips.map(({ split }) => split ?? '')),
    kinds: count(findings.map(({ kind }) => kind)),
    bad,
    badShare: clips.length === 0 ? 0 : bad / clips.length,
  }
}
