import { type Fingerprint, fingerprintStep } from '../audio/fingerprint.js'
import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { type InPieces, inTurns } from '../base/turn.js'

/** A passage that two recordings share. */
export interface NearDuplicate {
  /** Numbers of the two, the lower one first. */
  readonly a: number
  readonly b: number
  /** Where the passage begins in each and how long it is, seconds. */
  readonly inA: number
  readonly inB: number
  readonly seconds: number
  /** Share of its bits that differ: about 0.5 for two recordings that have nothing to do with each other. */
  readonly differing: number
  /** Share of what is heard of the shorter recording that lies in the passage. */
  readonly covered: number
  /** Bits heard in both that agree beyond what chance would let: see {@link nearDuplicates}. */
  readonly score: number
  /** Whether the passage is evidence wherever it lies, by length and score; else a short sound that is alike as a whole, as two beeps may be. */
  readonly sure: boolean
}

/** What counts as a shared passage. */
export interface NearDuplicatesOptions {
  /** Score from which a passage of 1.5 s or more counts wherever it lies. Default 220. */
  passageScore?: number
  /** Score from which it counts when it covers most of the shorter recording: a short sound as a whole. Default 60. */
  wholeScore?: number
  signal?: AbortSignal
}

/** Share of the shorter recording that is most of it. */
const most = 0.6
/** Passages that are no more of a recording are as long as this, s: half a second of laughter or a whinny is like another. */
const leastPassage = 1.5
/** What a bit that differs takes from the score of those that agree: passages with more than 1 / 2.6 = 38 % of them have none. */
const cost = 2.6
/** Bits of a frame that must be heard for it to be looked up. */
const leastHeard = 8
/** By how many bits the words are turned from one sort to the next. */
const turn = 4
/** Words of other recordings behind each that are looked at, among this many neighbours. */
const looks = 3
const neighbours = 16
/** Frames on both sides that must look alike before a whole passage is compared, and the largest share of bits that differ there. */
const around = 8
const alike = 0.34
/** Ways to lay two recordings over each other that are compared; the rest of them repeat themselves. */
const mostLays = 32

/**
 * Which of many recordings are the same, or share a passage: coded, resampled, louder, shifted or cut.
 *
 * Words of all frames are sorted, eight times, each time with other bits in front: words that differ in few bits then come to stand next to
 * each other in one of the sorts (Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002). Neighbours say how two
 * recordings may lie over each other; there the passage with the largest score is sought, over its frames the sum of bits heard in both less
 * 2.6 for each that differs. Work grows as n·log n with the frames n of all recordings, memory is 16 bytes a frame besides the fingerprints.
 *
 * One entry a pair, its best passage, in the order of a and b. Throws ABORTED.
 */
export async function nearDuplicates(
  fingerprints: readonly Fingerprint[],
  options: NearDuplicatesOptions = {},
): Promise<NearDuplicate[]> {
  const { passageScore = 220, wholeScore = 60, signal } = checkOptions(options, 'nearDuplicates')
  for (const [name, score] of Object.entries({ passageScore, wholeScore }))
    if (!(score > 0)) throw expected('a number above 0', name, score)
  return await inTurns(search(fingerprints, passageScore, wholeScore), signal)
}

function* search(
  fingerprints: readonly Fingerprint[],
  passageScore: number,
  wholeScore: number,
): InPieces<NearDuplicate[]> {
  const count = fingerprints.length
  const heard = fingerprints.map((print) => print.heard.reduce((sum, word) => sum + ones(word), 0))
  const { clips, frames } = framesOf(fingerprints)
  const keys = new BigUint64Array(clips.length)
  /** Number of the frame and its turned word: the lower and the upper half of a key, on the little-endian machines there are. */
  const halves = new Uint32Array(keys.buffer)
  const found = new Map<number, NearDuplicate>()
  const tried = new Map<number, Set<number>>()
  for (let turned = 0; turned < 32; turned += turn) {
    for (let i = 0; i < clips.length; i++) {
      const word = fingerprints[clips[i]!]!.bits[frames[i]!]!
      halves[2 * i] = i
      halves[2 * i + 1] = turned === 0 ? word : (word << turned) | (word >>> (32 - turned))
    }
    keys.sort()
    yield
    for (let i = 0; i < keys.length; i++) {
      if (i % 1024 === 0) yield
      const first = halves[2 * i]!
      let looked = 0
      for (let j = i + 1; j < keys.length && j <= i + neighbours && looked < looks; j++) {
        const second = halves[2 * j]!
        if (clips[first] === clips[second]) continue
        looked++
        const [x, y] = first < second ? [first, second] : [second, first]
        const [a, b] = [clips[x]!, clips[y]!]
        const lay: Lay = { a: fingerprints[a]!, b: fingerprints[b]!, shift: frames[y]! - frames[x]! }
        if (!looksAlike(lay, frames[x]!)) continue
        const pair = a * count + b
        const lays = tried.get(pair) ?? new Set()
        if (lays.has(lay.shift) || lays.size >= mostLays) continue
        tried.set(pair, lays.add(lay.shift))
        const passage = bestPassage(lay)
        const covered = passage.heard / Math.min(heard[a]!, heard[b]!)
        const seconds = (passage.end - passage.start) * fingerprintStep
        const sure = seconds >= leastPassage && passage.score >= passageScore
        if (!sure && (covered < most || passage.score < wholeScore)) continue
        if (passage.score <= (found.get(pair)?.score ?? 0)) continue
        found.set(pair, {
          a,
          b,
          inA: passage.start * fingerprintStep,
          inB: (passage.start + lay.shift) * fingerprintStep,
          seconds,
          differing: passage.differing / passage.heard,
          covered,
          score: passage.score,
          sure,
        })
      }
    }
  }
  return [...found.values()].toSorted((one, other) => one.a - other.a || one.b - other.b)
}

/** Recording and frame of every word that is looked up. */
function framesOf(fingerprints: readonly Fingerprint[]): { clips: Uint32Array; frames: Uint32Array } {
  const enough = (word: number): boolean => ones(word) >= leastHeard
  const total = fingerprints.reduce((sum, { heard }) => sum + heard.filter(enough).length, 0)
  const [clips, frames] = [new Uint32Array(total), new Uint32Array(total)]
  let at = 0
  for (const [clip, { heard }] of fingerprints.entries()) {
    for (const [frame, word] of heard.entries()) {
      if (!enough(word)) continue
      clips[at] = clip
      frames[at++] = frame
    }
  }
  return { clips, frames }
}

/** Two recordings laid over each other: frame f of `a` on frame f + shift of `b`. */
interface Lay {
  readonly a: Fingerprint
  readonly b: Fingerprint
  readonly shift: number
}

/** Whether a few frames around `frame` of a agree with those of b. */
function looksAlike({ a, b, shift }: Lay, frame: number): boolean {
  const start = Math.max(frame - around, 0, -shift)
  const end = Math.min(frame + around, a.bits.length, b.bits.length - shift)
  let [heard, differing] = [0, 0]
  for (let f = start; f < end; f++) {
    const mask = a.heard[f]! & b.heard[f + shift]!
    heard += ones(mask)
    differing += ones((a.bits[f]! ^ b.bits[f + shift]!) & mask)
  }
  return heard >= 2 * leastHeard && differing <= alike * heard
}

interface Passage {
  /** Frames of a. */
  readonly start: number
  readonly end: number
  readonly heard: number
  readonly differing: number
  readonly score: number
}

/** The passage with the largest sum (Bentley, "Programming pearls: algorithm design techniques", CACM 1984). */
function bestPassage({ a, b, shift }: Lay): Passage {
  const end = Math.min(a.bits.length, b.bits.length - shift)
  let best: Passage = { start: 0, end: 0, heard: 0, differing: 0, score: 0 }
  let [start, heard, differing] = [Math.max(0, -shift), 0, 0]
  for (let f = start; f < end; f++) {
    const mask = a.heard[f]! & b.heard[f + shift]!
    if (mask === 0) continue
    heard += ones(mask)
    differing += ones((a.bits[f]! ^ b.bits[f + shift]!) & mask)
    const score = heard - cost * differing
    if (score <= 0) [start, heard, differing] = [f + 1, 0, 0]
    else if (score > best.score) best = { start, end: f + 1, heard, differing, score }
  }
  return best
}

/** Bits that are set in 32. */
function ones(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555)
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333)
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
