import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { abortedError } from '../base/abort.js'
import { SonotextError } from '../base/errors.js'
import type { AudioDecoder, AudioSource } from './decode.js'
import { memorySource } from './byte-source.js'
import { Reading, type AudioStream } from './formats/format.js'
import { pcmStream } from './formats/pcm.js'
import { nativeSamples } from './native-samples.js'
import { wavLayout, type WavLayout } from './formats/wav-layout.js'

/** Options of {@link ffmpegDecoder}. */
export interface FfmpegOptions {
  /** The program. Default 'ffmpeg', looked for on the path. */
  command?: string
}

/** Bytes that hold the header of what ffmpeg writes, and more of its complaints than anyone reads. */
const HEADER = 4096

/**
 * Hands a file to the user's own ffmpeg, which writes 32-bit floats into a pipe: rate and channels stay those of the file, nothing
 * is written to disk, and ffmpeg waits while the pipe is full. It is started without a shell and may read this one file only.
 */
export function ffmpegDecoder({ command = 'ffmpeg' }: FfmpegOptions = {}): AudioDecoder {
  return {
    name: 'ffmpeg',
    origin: { module: import.meta.url, export: 'ffmpegDecoder', argument: { command } },
    open: (source) => openFfmpeg(command, source),
  }
}

async function openFfmpeg(command: string, source: AudioSource): Promise<AudioStream> {
  const { file, path, bytes, maxSeconds, signal } = source
  const input = path === undefined ? 'pipe:0' : `file:${resolve(path)}`
  const run = spawn(command, [
    ...['-nostdin', '-hide_banner', '-v', 'error', '-xerror', '-protocol_whitelist', 'file,pipe'],
    ...['-i', input, '-map', '0:a:0', '-map_metadata', '-1', '-bitexact'],
    // A little more than is allowed: a longer recording shows itself and is refused.
    ...(Number.isFinite(maxSeconds) ? ['-t', String(maxSeconds + 1)] : []),
    ...['-c:a', 'pcm_f32le', '-f', 'wav', 'pipe:1'],
  ])
  const ended = follow(run, command, source)
  // Whoever reads the pipe learns of a failure there; this keeps it from being reported as unhandled before.
  ended.catch(() => {})
  run.stdin.on('error', () => {})
  run.stdin.end(path === undefined ? await bytes.read(0, bytes.length) : undefined)
  const stop = () => void run.kill('SIGKILL')
  signal?.addEventListener('abort', stop, { once: true })
  const chunks = run.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const finish = () => {
    signal?.removeEventListener('abort', stop)
    stop()
  }
  try {
    const { layout, rest } = await readHeader(chunks, ended, file)
    const { channels, sampleRate, bitsPerSample: bits } = layout
    const decode = (data: Uint8Array, before = 0) =>
      pcmStream(
        memorySource(data),
        {
          container: 'WAV',
          kind: 'float',
          bits,
          channels,
          sampleRate,
          offset: 0,
          bytes: data.length,
          before,
        },
        new Reading(file, { samples: nativeSamples }),
      ).blocks
    async function* blocks() {
      try {
        let left = rest
        let frames = 0
        for (;;) {
          const whole = left.length - (left.length % (4 * channels))
          if (whole > 0) yield* decode(left.subarray(0, whole), frames)
          frames += whole / (4 * channels)
          const { value, done } = await chunks.next()
          if (signal?.aborted === true) throw abortedError(signal)
          if (done === true) break
          left = Buffer.concat([left.subarray(whole), value])
        }
        await ended
      } finally {
        finish()
      }
    }
    decode(new Uint8Array())
    return { sampleRate, channels, encoding: 'ffmpeg', samples: undefined, finite: true, blocks: blocks() }
  } catch (error) {
    finish()
    if (signal?.aborted === true) throw abortedError(signal)
    throw error
  }
}

/** Header of the WAV, and the first samples behind it. */
async function readHeader(
  chunks: AsyncIterator<Buffer>,
  ended: Promise<void>,
  file: string,
): Promise<{ layout: WavLayout; rest: Buffer }> {
  let head = Buffer.alloc(0)
  for (;;) {
    const { value, done } = await chunks.next()
    if (done === true) {
      await ended
      const what = 'Expected sound from ffmpeg, got none.'
      throw new SonotextError('INVALID_FILE', what, { file, remedy: 'It holds no sound: leave it out.' })
    }
    head = Buffer.concat([head, value])
    const data = head.indexOf('data', 12, 'latin1')
    if (data < 0 && head.length < HEADER) continue
    if (data >= 0 && head.length < data + 8) continue
    const layout = await wavLayout(memorySource(head), new Reading(file, { acceptCut: true }))
    return { layout, rest: head.subarray(layout.dataOffset) }
  }
}

/** Settles when ffmpeg has ended: with its own words when it failed. */
async function follow(
  run: ChildProcessWithoutNullStreams,
  command: string,
  { file, path }: AudioSource,
): Promise<void> {
  let complaint = ''
  run.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (complaint.length < HEADER) complaint += text
  })
  let code: unknown
  try {
    ;[code] = (await once(run, 'close')) as unknown[]
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause)
    throw new SonotextError(
      'MISSING_DEPENDENCY',
      `Expected the program ${command} to decode this file, it could not be started (${reason}).`,
      { file, remedy: 'Install ffmpeg so that it is on the path, or leave the file out.', cause },
    )
  }
  if (code === 0) return
  throw new SonotextError(
    'INVALID_FILE',
    `Expected ffmpeg to decode it, it failed: ${lastLine(complaint)}.`,
    {
      file,
      remedy:
        path === undefined
          ? 'Give the path of a file: ffmpeg cannot read every kind from a pipe.'
          : 'The file is damaged or of a kind that ffmpeg does not know: copy it again, or leave it out.',
    },
  )
}

/** The last thing ffmpeg said is what it died of. */
function lastLine(text: string): string {
  const lines = text.split('\n').map((line) => line.trim())
  return (
    lines
      .filter((line) => line !== '')
      .at(-1)
      ?.replace(/[.\s]+$/, '')
      .slice(0, 200) ?? 'no reason given'
  )
}
