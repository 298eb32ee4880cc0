/**
 * What an hour of sound takes of memory when it is streamed in windows, in every format that is read:
 *
 *     nx run bench:hours -- --seconds 3600 --max-mib 128 --out docs/results/hours.md
 *
 * Each recording is decoded and its log-mel frames are cut in windows, in a process of its own, and so is one of a minute in the same
 * format. Fails when the longer one took more than --max-mib besides. Recordings are made by ffmpeg.
 */
import '../direct.js'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { logMelFeatures } from '@sonotext/core/audio'
import { openBackend } from '@sonotext/core/backend'
import { openCorpus } from '@sonotext/core/corpus'
import { answer, answerOfSuite } from '../answer-of-suite.js'
import { environment, environmentLine } from '../harness/environment.js'
import { type Column, digits, markdownTable } from '../harness/table.js'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3600' },
    rate: { type: 'string', default: '48000' },
    window: { type: 'string', default: '30' },
    'max-mib': { type: 'string', default: '128' },
    out: { type: 'string' },
    file: { type: 'string' },
  },
})
const [seconds, rate, window, most] = [values.seconds, values.rate, values.window, values['max-mib']].map(
  Number,
) as [number, number, number, number]
const MiB = 2 ** 20

/** By the ending of their files: the encoder of ffmpeg. */
const formats = {
  wav: 'pcm_s16le',
  aiff: 'pcm_s16be',
  flac: 'flac',
  mp3: 'libmp3lame',
  ogg: 'libvorbis',
  opus: 'libopus',
}

/** What a process that streamed one recording tells. */
interface Streamed {
  readonly windows: number
  readonly frames: number
  /** Largest resident set, bytes. */
  readonly peak: number
}

interface Row {
  readonly format: string
  readonly bytes: number
  readonly hour: Streamed
  readonly minute: Streamed
}

if (values.file !== undefined) answer(await streamed(values.file))
else await main()

async function streamed(file: string): Promise<Streamed> {
  await using corpus = await openCorpus({
    features: logMelFeatures({ preset: 'thesis' }),
    backend: openBackend(),
    windows: { seconds: window },
    decode: { maxSeconds: 2 * seconds + 120 },
  })
  let [windows, frames] = [0, 0]
  for await (const { features } of corpus.windows({ id: 'long', audio: file })) {
    windows++
    frames += features.rows
  }
  return { windows, frames, peak: process.resourceUsage().maxRSS * 1024 }
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sonotext-hours-'))
  const rows: Row[] = []
  try {
    for (const [format, codec] of Object.entries(formats)) {
      const long = made(join(folder, `long.${format}`), codec, seconds)
      const short = made(join(folder, `short.${format}`), codec, 60)
      const row = {
        format,
        bytes: (await stat(long)).size,
        hour: await inProcess(long),
        minute: await inProcess(short),
      }
      rows.push(row)
      console.error(`${format}: ${mib(row.hour.peak)}, of a minute ${mib(row.minute.peak)}`)
      await rm(long)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  const text = report(rows)
  process.stdout.write(text)
  if (values.out !== undefined) await writeFile(values.out, text)
  const over = rows.filter(({ hour, minute }) => hour.peak - minute.peak > most * MiB)
  if (over.length === 0) return
  console.error(`${over.map(({ format }) => format).join(', ')}: more than ${most} MiB besides.`)
  process.exitCode = 1
}

/** Pink noise, one channel. */
function made(file: string, codec: string, duration: number): string {
  const noise = `anoisesrc=d=${duration}:c=pink:r=${rate}:s=1`
  execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', noise, '-c:a', codec, file])
  return file
}

async function inProcess(file: string): Promise<Streamed> {
  return answerOfSuite('hours', [...process.argv.slice(2), '--file', file], `Streaming ${file}`)
}

function mib(bytes: number): string {
  return `${digits(bytes / MiB)} MiB`
}

function report(rows: readonly Row[]): string {
  const right = (title: string, text: (row: Row) => string): Column<Row> => ({ title, align: 'right', text })
  const columns: Column<Row>[] = [
    { title: 'format', align: 'left', text: ({ format }) => format },
    right('file', ({ bytes }) => mib(bytes)),
    right('windows', ({ hour }) => hour.windows.toLocaleString('en')),
    right('frames', ({ hour }) => hour.frames.toLocaleString('en')),
    right('peak memory', ({ hour }) => mib(hour.peak)),
    right('of a minute', ({ minute }) => mib(minute.peak)),
    right('besides', ({ hour, minute }) => mib(Math.max(0, hour.peak - minute.peak))),
  ]
  return [
    '# Recordings of an hour',
    '',
    `${seconds} s of pink noise at ${rate} Hz, decoded as a stream and cut in windows of ${window} s of log-mel frames (preset thesis), none of it kept.` +
      ` Its samples alone would be ${mib(4 * seconds * rate)}. Each line is a process of its own, and so is a minute of the same format beside it.`,
    '',
    markdownTable(columns, rows),
    '',
    'Memory is the largest resident set.',
    '',
    `\`nx run bench:hours -- --seconds ${seconds} --rate ${rate} --window ${window}\``,
    '',
    environmentLine(environment()),
    '',
  ].join('\n')
}
