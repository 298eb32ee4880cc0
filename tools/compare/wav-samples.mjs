#!/usr/bin/env node
// Samples of a WAV to float32 beside libsndfile, and beside another build of this library, on a machine that does nothing else:
//
//   python3 -m venv build/compare && build/compare/bin/pip install -r tools/compare/requirements.txt
//   node tools/compare/wav-samples.mjs --python build/compare/bin/python [--against FOLDER_OF_A_BUILT_0.1] [--seconds 10,60] [--rounds 40]
//
// Two channels at 44.1 kHz of 16, 24 and 32 bits and floats. All sides run in turns, and the best of each is printed, ms: a pause of the
// machine makes a turn longer, nothing makes it shorter. That the channels of all sides have the same bits is looked at first.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { crc32 } from 'node:zlib'
import { nativeBackend } from '@sonotext/core/backend'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    against: { type: 'string' },
    seconds: { type: 'string', default: '10,60' },
    rounds: { type: 'string', default: '40' },
  },
})
if (values.python === undefined) {
  console.error('Expected --python /path/to/python with soundfile and NumPy.')
  process.exit(2)
}

const rate = 44_100
const channels = 2
const kinds = { '16 bit': 2, '24 bit': 3, '32 bit': 4, float32: 4 }

/** A WAV of noise, as bytes, and where its samples begin. */
function wav(kind, frames) {
  const [width, floats] = [kinds[kind], kind === 'float32']
  const bytes = Buffer.alloc(44 + frames * channels * width)
  bytes.write('RIFF....WAVEfmt ....................data', 'latin1')
  bytes.writeUInt32LE(bytes.length - 8, 4)
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(floats ? 3 : 1, 20)
  bytes.writeUInt16LE(channels, 22)
  bytes.writeUInt32LE(rate, 24)
  bytes.writeUInt32LE(rate * channels * width, 28)
  bytes.writeUInt16LE(channels * width, 32)
  bytes.writeUInt16LE(8 * width, 34)
  bytes.writeUInt32LE(bytes.length - 44, 40)
  let state = 1
  for (let at = 44; at < bytes.length; at += width) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    if (floats) bytes.writeFloatLE(state / 2 ** 31, at)
    else bytes.writeIntLE(state >> (32 - 8 * width), at, width)
  }
  return new Uint8Array(bytes)
}

const audioOf = (folder) =>
  import(pathToFileURL(join(resolve(folder), 'packages/core-ts/dist/audio/index.js')).href)
const own = await audioOf(root)
const other = values.against === undefined ? undefined : await audioOf(values.against)
const backend = nativeBackend()

const python = spawn(values.python, [join(root, 'tools/compare/wav_samples.py')], {
  stdio: ['pipe', 'pipe', 'inherit'],
})
const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]()
const answer = async () => JSON.parse((await lines.next()).value)
const { versions } = await answer()
const ask = (path, what) => {
  python.stdin.write(`${JSON.stringify({ path, what })}\n`)
  return answer()
}

/** Seconds of one run, as whoever ran it measured them. */
const timed = (run) => async () => {
  const start = performance.now()
  await run()
  return (performance.now() - start) / 1000
}

function sides(path, bytes, kind, frames) {
  const asked = (what) => async () => (await ask(path, what)).seconds
  const layout = {
    frames,
    channels,
    width: kinds[kind],
    floats: kind === 'float32' ? 1 : 0,
    bigEndian: 0,
    first: 0,
  }
  const op = (rows, count, kept) => {
    const data = bytes.subarray(44)
    const out = kept ? new Float32Array(rows * frames) : undefined
    return timed(() =>
      backend.run('pcm', {
        bytes: data,
        out: out ?? new Float32Array(rows * frames),
        ...layout,
        rows,
        count,
      }),
    )
  }
  const ofBuild = (name, audio) =>
    audio === undefined
      ? {}
      : {
          [`${name}: channels`]: timed(() => audio.decodeAudio(bytes)),
          [`${name}: mono`]: timed(() => audio.readMono(bytes)),
          [`${name}: file to mono`]: timed(() => audio.readMono(path)),
        }
  return {
    'libsndfile, memory': asked('memory'),
    'libsndfile, file': asked('file'),
    'libsndfile, file, mean': asked('mono'),
    ...ofBuild('0.1', other),
    ...ofBuild('now', own),
    'op: channels': op(channels, 1, false),
    'op: mean': op(1, channels, false),
    'op: channels, into memory that is there': op(channels, 1, true),
    'op: mean, into memory that is there': op(1, channels, true),
  }
}

const folder = mkdtempSync(join(tmpdir(), 'sonotext-wav-'))
let rows
try {
  for (const seconds of values.seconds.split(',').map(Number)) {
    for (const kind of Object.keys(kinds)) {
      const frames = seconds * rate
      const bytes = wav(kind, frames)
      const path = join(folder, `${seconds} s of ${kind}.wav`)
      writeFileSync(path, bytes)
      const { crc } = await ask(path, 'crc')
      for (const audio of [own, other]) {
        if (audio === undefined) continue
        const decoded = await audio.decodeAudio(bytes)
        const sum = decoded.channels.reduce(
          (sum, { buffer, byteOffset, byteLength }) =>
            crc32(new Uint8Array(buffer, byteOffset, byteLength), sum),
          0,
        )
        if (sum !== crc) throw new Error(`${kind}: the samples are not those of libsndfile`)
      }
      const runs = sides(path, bytes, kind, frames)
      const best = Object.fromEntries(Object.keys(runs).map((name) => [name, Infinity]))
      for (let round = -3; round < Number(values.rounds); round++) {
        for (const [name, run] of Object.entries(runs)) {
          const time = await run()
          if (round >= 0) best[name] = Math.min(best[name], time)
        }
      }
      if (rows === undefined) {
        console.log(
          `| | ${Object.keys(runs).join(' | ')} |\n| --- |${' ---: |'.repeat(Object.keys(runs).length)}`,
        )
        rows = true
      }
      const cells = Object.values(best).map((time) => (1000 * time).toFixed(2))
      console.log(`| ${seconds} s, ${kind} | ${cells.join(' | ')} |`)
    }
  }
} finally {
  python.stdin.end()
  rmSync(folder, { recursive: true })
}
const { isa, threads } = backend.info
console.log(
  `\nms, the best of ${values.rounds} in turns; ${cpus()[0].model}, ${isa}, ${threads} threads; Node ${process.version}; libsndfile ${versions}; load ${loadavg()[0].toFixed(1)}`,
)
