/**
 * What finding ten phrases in an hour of sound takes, with the CRNN of the thesis over log-mel frames, window by window:
 *
 *     nx run bench:alignment-hour -- --minutes 60 --out docs/results/alignment-hour.md
 *
 * Beside it stand its parts, the reading with the features alone and the encoder alone, and the floor: the multiply-adds of the encoder at the
 * peak measured in the same process. Seconds are those of the processors (user and system, all threads), which other work on the
 * machine hardly changes; the multiple of real time is of two cores that have nothing else to do.
 */
import '../direct.js'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { finished } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { align } from '@sonotext/core/align'
import { encodeWav, logMelFeatures } from '@sonotext/core/audio'
import { openBackend } from '@sonotext/core/backend'
import { Rng } from '@sonotext/core/base'
import { openCorpus } from '@sonotext/core/corpus'
import { padFeatures } from '@sonotext/core/data'
import { crnn, dualEncoder, frameScorer, words } from '@sonotext/core/models'
import { Tape } from '@sonotext/core/nn'
import { frameWord } from '@sonotext/core/similarity'
import { tokenize, Vocabulary } from '@sonotext/core/text'
import { loadAddon } from '@sonotext/native-cuda'
import { CheckError } from '../check/check-error.js'
import { environment, environmentLine } from '../harness/environment.js'
import { digits, markdownTable } from '../harness/table.js'
import { stepFlops } from '../training/step.js'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '60' }, out: { type: 'string' } },
})
const seconds = 60 * Number(values.minutes)
const sampleRate = 22_050
const [window, margin] = [30, 2]
const frameStep = 0.02
const phrases = [
  ...['a dog barks', 'rain falls on a roof', 'a car passes by', 'a man speaks', 'a bell rings twice'],
  ...['birds sing', 'a door is closed', 'water runs from a tap', 'a crowd cheers', 'an engine idles'],
]

/** A minute of noise that swells and fades, over and over: of any length on disk, never in memory. */
async function writeLong(path: string): Promise<void> {
  const rng = new Rng(1, 'hour')
  const minute = Float32Array.from(
    { length: 60 * sampleRate },
    (_, i) => 0.1 * rng.normal() * (1 + Math.sin(i / sampleRate)),
  )
  const { bytes } = encodeWav(minute, sampleRate)
  const [header, data] = [Buffer.from(bytes.subarray(0, 44)), bytes.subarray(44)]
  const length = data.length * (seconds / 60)
  header.writeUInt32LE(36 + length, 4)
  header.writeUInt32LE(length, 40)
  const file = createWriteStream(path)
  file.write(header)
  for (let written = 0; written < length; written += data.length)
    if (!file.write(data)) await once(file, 'drain')
  file.end()
  await finished(file)
}

/** Seconds of the processors, all threads together. */
async function processorSeconds(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

const folder = await mkdtemp(join(tmpdir(), 'sonotext-hour-'))
try {
  const clip = { id: 'hour', audio: join(folder, 'hour.wav') }
  await writeLong(clip.audio)
  const backend = openBackend()
  const vocabulary = Vocabulary.build(phrases.map(tokenize))
  const model = dualEncoder({
    ...{ audio: crnn(), text: words({ vocabulary, dim: 300 }), similarity: frameWord() },
    ...{ seed: 1, backend },
  })
  await using corpus = await openCorpus({
    ...{ features: logMelFeatures({ preset: 'thesis' }), backend },
    windows: { seconds: window + 2 * margin, hop: window },
    decode: { maxSeconds: seconds + 60 },
  })
  const windows = () => corpus.windows(clip)
  const { isa } = backend.info
  if (isa === null) throw new CheckError('Expected the native addon, whose peak is the floor: npm run setup.')
  const peakOf = () => loadAddon().fmaPeak(isa, 1, 20) * 1e9
  let peak = peakOf()
  let read = 0
  const features = await processorSeconds(async () => {
    for await (const { features: own } of windows()) read += own.rows
  })
  peak = Math.max(peak, peakOf())
  const before = process.memoryUsage.rss()
  let [most, found] = [0, 0]
  const whole = await processorSeconds(async () => {
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 100)
    found = (await align(frameScorer(model, { windows, margin }), clip, phrases)).length
    clearInterval(watch)
  })
  peak = Math.max(peak, peakOf())
  const encoder = await processorSeconds(async () => {
    for await (const { features: own } of windows()) {
      using tape = new Tape(backend)
      model.audio.forward(tape, padFeatures([own], model.audio.encoder)).values.toArray()
    }
  })
  peak = Math.max(peak, peakOf())
  const floor = stepFlops({ batch: 1, frames: seconds / frameStep }) / 3 / peak
  const rows = [
    ['the whole: ten phrases, segments', whole],
    ['reading and features alone', features],
    ['encoder alone, windows with their margins', encoder - features],
    ['floor: multiply-adds of the encoder at the peak', floor],
  ] as const
  const text = [
    '# Ten phrases in a long recording',
    '',
    `${digits(seconds / 60)} minutes of sound at ${sampleRate} Hz, ten phrases, the CRNN of the thesis (untrained: the work is the same) over log-mel frames of ${1000 * frameStep} ms;`,
    `windows of ${window} s with ${margin} s of context at both ends (${read} frames for ${Math.round(seconds / frameStep)}). ${found} segments.`,
    '',
    markdownTable<(typeof rows)[number]>(
      [
        { title: '', align: 'left', text: ([name]) => name },
        { title: 'seconds of processor', align: 'right', text: ([, own]) => digits(own) },
        { title: '× real time, reckoned', align: 'right', text: ([, own]) => digits((2 * seconds) / own) },
        { title: 'of the whole', align: 'right', text: ([, own]) => `${digits((100 * own) / whole)} %` },
      ],
      rows,
    ),
    '',
    `Seconds are of the processors, all threads together; the multiple of real time is reckoned from them, for two cores that are kept busy: twice the sound over the seconds. Peak of one thread: ${digits(peak / 1e9)} GFLOP/s. Memory grew by at most ${Math.max(0, Math.round((most - before) / 2 ** 20))} MiB while aligning.`,
    '',
    `\`nx run bench:alignment-hour -- --minutes ${values.minutes}\``,
    '',
    environmentLine(environment()),
    '',
  ].join('\n')
  console.log(text)
  if (values.out !== undefined) await writeFile(values.out, text)
} finally {
  await rm(folder, { recursive: true })
}
