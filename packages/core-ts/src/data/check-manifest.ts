import { tokenize } from '../text/tokenize.js'
import type { AudioFacts } from './check-audio.js'
import type { Note } from './finding.js'
import type { Clip } from './manifest.js'

/** Seconds by which an event may pass the end, or a stated duration differ, without mention. */
const tolerance = 0.05

/** Whether the file is what the manifest says. */
export function checkStated(clip: Clip, facts: AudioFacts | undefined, note: Note): void {
  if (facts === undefined) return
  const { duration, sampleRate } = clip
  if (duration !== undefined && Math.abs(duration - facts.seconds) > Math.max(tolerance, 0.01 * duration)) {
    const message = `lasts ${facts.seconds.toFixed(2)} s, but the manifest says ${duration.toFixed(2)} s.`
    note(clip, 'warning', 'mismatch', message, 'The file may be cut short, or another one.')
  }
  if (sampleRate !== undefined && sampleRate !== facts.sampleRate) {
    note(clip, 'warning', 'mismatch', `has ${facts.sampleRate} Hz, but the manifest says ${sampleRate} Hz.`)
  }
}

/** Whether events end after they start and lie within the clip, where its length is known. */
export function checkEvents(clip: Clip, seconds: number | undefined, note: Note): void {
  for (const { label, onset, offset } of clip.events ?? []) {
    const what = `the event "${label}" (${onset} to ${offset} s)`
    if (offset <= onset)
      note(clip, 'error', 'event-times', `${what} does not end after it starts.`, 'Correct its times.')
    else if (seconds === undefined) continue
    else if (onset >= seconds) {
      note(
        clip,
        'error',
        'event-times',
        `${what} starts after the end of the clip at ${seconds.toFixed(2)} s.`,
        'Correct its times.',
      )
    } else if (offset > seconds + tolerance) {
      note(
        clip,
        'warning',
        'event-times',
        `${what} lasts beyond the end of the clip at ${seconds.toFixed(2)} s.`,
        'Correct its times.',
      )
    }
  }
}

/** Whether clips have captions with words, and none that another clip has. */
export function checkCaptions(clips: readonly Clip[], note: Note): void {
  // A collection to be searched has no captions at all, and nothing is wrong with that.
  const expectsCaptions = clips.some((clip) => clip.captions.length > 0)
  const first = new Map<string, Clip>()
  const told = new Set<string>()
  for (const clip of clips) {
    if (expectsCaptions && clip.captions.length === 0) {
      note(
        clip,
        'warning',
        'no-captions',
        'has no caption, so that training passes over it.',
        'Give it one, or leave it out.',
      )
    }
    for (const { id, text, tokens = tokenize(text) } of clip.captions) {
      const words = tokens.join(' ')
      if (words === '') {
        note(
          clip,
          'warning',
          'empty-caption',
          `the caption "${id}" has no word, so that training passes over it.`,
        )
        continue
      }
      const earlier = first.get(words)
      if (earlier === undefined) first.set(words, clip)
      else if (!told.has(words)) {
        told.add(words)
        const whose = earlier === clip ? 'it already has' : `"${earlier.id}" has too`
        note(
          clip,
          'warning',
          'duplicate-caption',
          `has the caption "${text}" that ${whose}.`,
          'Such pairs count as negatives of each other though they fit.',
        )
      }
    }
  }
}
