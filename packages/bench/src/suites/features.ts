/**
 * Log-mel speed: every preset on 30 s of sound, on each instruction set and number of threads, and beside librosa and torch.stft
 * when a Python that has them is named. All engines take turns within one run, so that what else the machine does meets all.
 *
 *     node packages/bench/dist/suites/features.js [--python python3] [--data FOLDER] [--rounds 15] [--out FILE.md]
 *
 * --data also measures files to features over the audio files of a folder, with a cold and a warm cache.
 */
import '../direct.js'
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { logMel, type LogMel, logMelFeatures } from '@sonotext/core/audio'
import { openCorpus } from '@sonotext/core/corpus'
import { openBackend } from '@sonotext/core/backend'
import { Rng } from '@sonotext/core/base'
import { CheckError } from '../check/check-error.js'
import { settle } from '../harness/settle.js'

const seconds = 30
const rates = { thesis: 44_100, librosa: 22_050, torchaudio: 16_000, clap: 48_000 } as const
type Case = keyof typeof rates
const cases = Object.keys(rates) as Case[]

/** One way to compute a case; answers with the seconds of one run. */
interface Engine {
  readonly name: string
  run(name: Case): Promise<number>
}

function clip(rate: number): Float32Array {
  const rng = new Rng(1, 'features')
  return Float32Array.from(
    { length: seconds * rate },
    (_, i) => 0.3 * Math.sin((2 * Math.PI * 440 * i) / rate) + 0.1 * rng.normal(),
  )
}
const clips = Object.fromEntries(cases.map((name) => [name, clip(rates[name])])) as Record<Case, Float32Array>

function ours(isa: string, threads: number): Engine | undefined {
  const open = () => openBackend({ device: 'cpu', isa, threads })
  try {
    open()
  } catch {
    return undefined
  }
  const fronts = new Map<Case, LogMel>()
  return {
    name: `${isa}, ${threads} thread${threads === 1 ? '' : 's'}`,
    async run(name) {
      const backend = open() // sets the number of threads, which is the process's
      let front = fronts.get(name)
      if (front === undefined)
        fronts.set(name, (front = logMel(name, { sampleRate: rates[name] }, { backend })))
      const start = performance.now()
      await front.compute(clips[name])
      return (performance.now() - start) / 1000
    },
  }
}

async function python(
  command: string,
  threads: number,
): Promise<{ engines: Engine[]; versions: string; stop: () => void }> {
  const script = fileURLToPath(new URL('../../python/features.py', import.meta.url))
  const child = spawn(command, ['-u', script, String(threads)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async () => {
    const { value, done } = await lines.next()
    if (done === true) throw new CheckError(`${command} ended: it needs librosa and torch`)
    return value
  }
  const versions = Object.entries(JSON.parse(await answer()) as Record<string, string>)
  const engine = (name: 'torch' | 'librosa'): Engine => ({
    name: `${name === 'torch' ? 'torch.stft' : 'librosa'}, ${threads} threads`,
    async run(test) {
      child.stdin.write(`${test} ${name}\n`)
      return Number(await answer())
    },
  })
  return {
    engines: [engine('torch'), engine('librosa')],
    versions: versions.map(([name, version]) => `${name} ${version}`).join(', '),
    stop: () => child.stdin.end(),
  }
}

async function speedTable(
  engines: readonly Engine[],
  rounds: number,
  against: string | undefined,
): Promise<string[]> {
  const rows = [
    `| preset | frames | ${engines.map(({ name }) => name).join(' | ')} |${against === undefined ? '' : ' ours / torch.stft | ours / librosa |'}`,
  ]
  rows.push(rows[0]!.replace(/[^|]+/g, ' --- '))
  for (const name of cases) {
    const times = engines.map(() => [] as number[])
    for (let round = -2; round < rounds; round++) {
      for (const [e, engine] of engines.entries()) {
        await settle()
        const time = await engine.run(name)
        if (round >= 0) times[e]!.push(time)
      }
    }
    const frames = logMel(name, { sampleRate: rates[name] }).frames(seconds * rates[name])
    const microseconds = times.map((t) => (Math.min(...t) / frames) * 1e6)
    const own = engines.findIndex((engine) => engine.name === against)
    const ratios =
      own < 0 ? [] : microseconds.slice(-2).map((other) => `${(other / microseconds[own]!).toFixed(1)} ×`)
    rows.push(`| ${[name, frames, ...microseconds.map((t) => t.toFixed(2)), ...ratios].join(' | ')} |`)
  }
  return rows
}

async function fileTable(folder: string): Promise<string[]> {
  const files = (await readdir(folder))
    .filter((name) => /\.(wav|flac|ogg|mp3)$/.test(name))
    .map((name) => join(folder, name))
  const cacheFolder = await mkdtemp(join(tmpdir(), 'sonotext-bench-'))
  try {
    const clips = files.map((audio) => ({ id: audio, audio }))
    const rows = ['| files to features | files | files/s | × real time |', '| --- | --- | --- | --- |']
    for (const state of ['cold cache', 'warm cache']) {
      await using corpus = await openCorpus({ features: logMelFeatures({ preset: 'thesis' }), cacheFolder })
      let [total, count] = [0, 0]
      const start = performance.now()
      for await (const { duration } of corpus.read(clips, { onBad: () => {} })) {
        total += duration
        count++
      }
      const time = (performance.now() - start) / 1000
      rows.push(`| ${state} | ${count} | ${(count / time).toFixed(0)} | ${(total / time).toFixed(0)} |`)
    }
    return rows
  } finally {
    await rm(cacheFolder, { recursive: true })
  }
}

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    data: { type: 'string' },
    rounds: { type: 'string', default: '15' },
    out: { type: 'string' },
  },
})
const threads = openBackend().info.threads
const counts = [...new Set([1, threads])]
const native = ['scalar', 'avx2', 'avx512', 'neon'].flatMap((isa) =>
  counts.flatMap((count) => ours(isa, count) ?? []),
)
const peer = values.python === undefined ? undefined : await python(values.python, threads)
const best = peer === undefined ? undefined : native.at(-1)?.name
const report = [
  '# Log-mel features',
  '',
  `Microseconds a frame, fastest of ${values.rounds} interleaved rounds over ${seconds} s of sound, on ${cpus()[0]!.model.trim()}` +
    `, Node ${process.versions.node}${peer === undefined ? '' : `, ${peer.versions}`}.`,
  'Ours takes the FFT in float64 (the reason stands at `log_mel` in native/core/ops.hpp), torch.stft in float32, librosa in float64.',
  '',
  ...(await speedTable([...native, ...(peer?.engines ?? [])], Number(values.rounds), best)),
]
peer?.stop()
if (values.data !== undefined) report.push('', ...(await fileTable(values.data)))
const text = `${report.join('\n')}\n`
process.stdout.write(text)
if (values.out !== undefined) await writeFile(values.out, text)
