import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { writeWav } from '@sonotext/core/audio'
import { Rng } from '@sonotext/core'

/** One channel of sound. */
export interface Recording {
  readonly samples: Float32Array
  /** Hz. */
  readonly sampleRate: number
}

/** A way in which a recording comes back under another name. */
export interface Transformation {
  readonly name: string
  /** Of the files it writes. */
  readonly ending: string
  /** Writes the copy. `wav` holds the recording for programs to read. */
  make(recording: Recording, wav: string, to: string): Promise<void>
}

const run = promisify(execFile)

/** A transformation by another program, which reads a file and writes one. */
function byProgram(
  name: string,
  ending: string,
  command: (from: string, to: string) => readonly [string, ...string[]],
): Transformation {
  return {
    name,
    ending,
    async make(_, wav, to) {
      const [program, ...args] = command(wav, to)
      await run(program, args)
    },
  }
}

/** A transformation of the samples, kept as 16-bit PCM. */
function bySamples(name: string, change: (recording: Recording) => Float32Array): Transformation {
  return {
    name,
    ending: 'wav',
    async make(recording, _, to) {
      await writeWav(to, change(recording), recording.sampleRate)
    },
  }
}

const ffmpeg = ['-nostdin', '-y', '-v', 'error'] as const

/** The ten that near-duplicates are to be found after. */
export const transformations: readonly Transformation[] = [
  byProgram('MP3, 64 kbit/s', 'mp3', (from, to) => ['lame', '--quiet', '-b', '64', from, to]),
  byProgram('Ogg Vorbis, quality 0', 'ogg', (from, to) => ['oggenc', '-Q', '-q', '0', '-o', to, from]),
  byProgram('Opus, 32 kbit/s', 'opus', (from, to) => ['opusenc', '--quiet', '--bitrate', '32', from, to]),
  byProgram('resampled to 16 kHz', 'wav', (from, to) => ['sox', from, '-r', '16000', to]),
  byProgram('telephone: 8 kHz, µ-law', 'wav', (from, to) => [
    ...(['sox', from, '-r', '8000', '-e', 'mu-law'] as const),
    to,
  ]),
  byProgram('compressed, bass up, treble down', 'flac', (from, to) => [
    ...(['ffmpeg', ...ffmpeg, '-i', from, '-af'] as const),
    'acompressor=threshold=0.05:ratio=4:attack=10:release=200,bass=g=6,treble=g=-6',
    to,
  ]),
  bySamples('20 dB quieter', ({ samples }) => samples.map((x) => x / 10)),
  bySamples('shifted: 237.3 ms of silence in front', ({ samples, sampleRate }) => {
    const lead = Math.round(0.2373 * sampleRate)
    const shifted = new Float32Array(lead + samples.length)
    shifted.set(samples, lead)
    return shifted
  }),
  bySamples('cut: the middle half of its sound', middleHalf),
  bySamples('white noise 20 dB below the sound', (recording) => withNoise(recording, 20)),
]

/** First and last sample of what is not silence: above -60 dB of the peak. */
export function soundOf({ samples }: Recording): readonly [start: number, end: number] {
  const level = samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0) / 1000
  const start = samples.findIndex((x) => Math.abs(x) > level)
  return [start, samples.findLastIndex((x) => Math.abs(x) > level) + 1]
}

function withNoise(recording: Recording, decibels: number): Float32Array {
  const { samples } = recording
  const [start, end] = soundOf(recording)
  const energy = samples.subarray(start, end).reduce((sum, x) => sum + x * x, 0)
  const deviation = 10 ** (-decibels / 20) * Math.sqrt(energy / (end - start))
  // Another noise for every recording: the same one would be a sound that they share.
  const rng = new Rng(samples.length, `noise ${energy}`)
  return samples.map((x) => x + deviation * rng.normal())
}

function middleHalf(recording: Recording): Float32Array {
  const [start, end] = soundOf(recording)
  const quarter = Math.floor((end - start) / 4)
  return recording.samples.slice(start + quarter, end - quarter)
}

/** What is asked of no method here, to know where it ends. */
export const beyond: readonly Transformation[] = [
  bySamples('white noise 10 dB below the sound', (recording) => withNoise(recording, 10)),
  byProgram('1 % faster and higher', 'wav', (from, to) => ['sox', from, to, 'speed', '1.01']),
]
