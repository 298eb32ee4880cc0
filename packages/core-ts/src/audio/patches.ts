import type { Backend } from '../backend/port.js'
import { SonotextError } from '../base/errors.js'
import type { FrontEnd } from './front-ends.js'
import { logMel } from './log-mel.js'
import { resampleBlocks } from './resample-blocks.js'
import { type SampleBlocks, SampleWindow } from './sample-blocks.js'

/** Extent of the patches of a front end. */
export interface PatchShape {
  /** Spectrogram frames of a patch, or samples where there is no spectrogram. */
  readonly length: number
  /** Bands of a frame; 1 for samples. */
  readonly bands: number
  /** Seconds from one patch to the next. */
  readonly step: number
}

interface Lengths extends PatchShape {
  /** Samples that a patch needs, and from one to the next. */
  readonly samples: number
  readonly hop: number
}

function lengthsOf(front: FrontEnd): Lengths {
  const { sampleRate, mel, cut } = front
  const whole = (seconds: number, unit: number) => Math.max(1, Math.round((seconds * sampleRate) / unit))
  if (mel === null) {
    const [length, hop] = [whole(front.patch, 1), whole(front.hop, 1)]
    return { length, bands: 1, step: hop / sampleRate, samples: length, hop }
  }
  if (cut === 'frames') {
    const [length, frames] = [whole(front.patch, mel.hop), whole(front.hop, mel.hop)]
    const hop = frames * mel.hop
    const samples = (length - 1) * mel.hop + mel.windowLength
    return { length, bands: mel.bands, step: hop / sampleRate, samples, hop }
  }
  const [samples, hop] = [whole(front.patch, 1), whole(front.hop, 1)]
  // Whisper's extractor leaves out the frame that is centred on the end.
  const centred = 1 + Math.floor(samples / mel.hop) - (front.scale === 'whisper' ? 1 : 0)
  const length = mel.centre ? centred : 1 + Math.floor((samples - mel.nFft) / mel.hop)
  return { length, bands: mel.bands, step: hop / sampleRate, samples, hop }
}

/** How large patches are. */
export function patchShape(front: FrontEnd): PatchShape {
  const { length, bands, step } = lengthsOf(front)
  return { length, bands, step }
}

/** Patches of a clip, one after the other, each [length × bands] as {@link patchShape} says. */
export function patchesOf(
  front: FrontEnd,
  audio: SampleBlocks,
  options: { readonly backend: Backend; readonly signal?: AbortSignal },
): AsyncGenerator<Float32Array, void, undefined> {
  const resampled = resampleBlocks(audio, front.sampleRate, options)
  return front.cut === 'frames' ? cutFrames(front, resampled, options) : cutSamples(front, resampled, options)
}

/** How many patches `samples` give. */
function countOf({ samples: needed, hop }: Lengths, samples: number, fill: FrontEnd['fill']): number {
  if (samples === 0) {
    throw new SonotextError('INVALID_DATA', 'Expected a clip with sound in it, got 0 samples.', {
      remedy: 'Leave the clip out.',
    })
  }
  const beyond = Math.max(0, samples - needed) / hop
  return 1 + (fill === 'drop' ? Math.floor(beyond) : Math.ceil(beyond))
}

async function* cutFrames(
  front: FrontEnd,
  audio: SampleBlocks,
  options: { readonly backend: Backend; readonly signal?: AbortSignal },
): AsyncGenerator<Float32Array, void, undefined> {
  const mel = front.mel!
  const lengths = lengthsOf(front)
  // Here a window lies in the middle of its nFft samples; where the models come from it lies at their beginning.
  const before = mel.centre ? 0 : Math.floor((mel.nFft - mel.windowLength) / 2)
  const after = mel.centre ? 0 : mel.nFft - mel.windowLength - before
  let samples = 0
  async function* filled() {
    if (before > 0) yield new Float32Array(before)
    for await (const block of audio.blocks) {
      samples += block.length
      yield block
    }
    const until = lengths.samples + (countOf(lengths, samples, front.fill) - 1) * lengths.hop
    if (until + after > samples) yield new Float32Array(until + after - samples)
  }
  const frontEnd = logMel(mel, {}, { backend: options.backend })
  const { length, bands } = lengths
  const step = lengths.hop / mel.hop
  /** Frames from the next patch on. */
  const held = new SampleWindow()
  let next = 0
  const abortable = options.signal === undefined ? {} : { signal: options.signal }
  let given = 0
  for await (const { data } of frontEnd.blocks({ sampleRate: mel.sampleRate, blocks: filled() }, abortable)) {
    held.append(data)
    for (; held.end >= (next + length) * bands; next += step) {
      if (given === patchesSoFar()) break
      yield held.from(next * bands).slice(0, length * bands)
      given++
      held.dropBefore((next + step) * bands)
    }
  }
  /** A filling may give frames that no patch asks for. */
  function patchesSoFar(): number {
    return samples === 0 ? 0 : countOf(lengths, Math.max(samples, 1), front.fill)
  }
}

async function* cutSamples(
  front: FrontEnd,
  audio: SampleBlocks,
  options: { readonly backend: Backend; readonly signal?: AbortSignal },
): AsyncGenerator<Float32Array, void, undefined> {
  const lengths = lengthsOf(front)
  const { samples: needed, hop, length, bands } = lengths
  const mel = front.mel === null ? undefined : logMel(front.mel, {}, { backend: options.backend })
  const heard = async (patch: Float32Array): Promise<Float32Array> => {
    if (mel === undefined) return patch
    const { data } = await mel.compute(patch, options.signal === undefined ? {} : { signal: options.signal })
    const frames = data.slice(0, length * bands)
    return front.scale === 'whisper' ? whisperScale(frames) : frames
  }
  const held = new SampleWindow()
  let next = 0
  let given = 0
  for await (const block of audio.blocks) {
    held.append(block)
    for (; held.end >= next + needed; next += hop) {
      yield await heard(held.from(next).slice(0, needed))
      given++
      held.dropBefore(next + hop)
    }
  }
  if (given === countOf(lengths, held.end, front.fill)) return
  yield await heard(filledUp(held.from(next), needed, given === 0 ? front.fill : 'zeros'))
}

function filledUp(rest: Float32Array, length: number, fill: FrontEnd['fill']): Float32Array {
  const patch = new Float32Array(length)
  const times = fill === 'repeat' ? Math.floor(length / rest.length) : 1
  for (let i = 0; i < times; i++) patch.set(rest, i * rest.length)
  return patch
}

/** Natural logarithms to Whisper's numbers, in place. */
function whisperScale(frames: Float32Array): Float32Array {
  let peak = -Infinity
  for (let i = 0; i < frames.length; i++) {
    frames[i] = frames[i]! / Math.LN10
    peak = Math.max(peak, frames[i]!)
  }
  for (let i = 0; i < frames.length; i++) frames[i] = (Math.max(frames[i]!, peak - 8) + 4) / 4
  return frames
}
