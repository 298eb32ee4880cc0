#!/usr/bin/env node
// Embeds recordings once to the end; then again and again with nothing kept, each time killed when a number of files that was drawn
// is kept, and called once more: every time the vectors must be the same, byte for byte. Run after TypeScript is built.
//
//   node tools/nightly/embed-killed.mjs [--points 30] [--along] [--seed 1] [--data $SONOTEXT_DATA]
//
// With --along one embedding is killed at all of the points, one after the other, before it may end: two embeddings of work in all, not 31.
//
// With --data, the recordings that its metadata.csv names go through its models/yamnet256.onnx; without, synthetic ones through a tiny model.
// The last line says what was seen.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')
const built = (path) => import(pathToFileURL(join(root, 'packages/core-ts/dist', path)).href)
const { values } = parseArgs({
  options: {
    points: { type: 'string', default: '30' },
    along: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    data: { type: 'string' },
  },
})
const { readCsv, Rng } = await built('base/index.js')
const { tinyAudioTower, tinyTextTower, tinyTokenizer } = await built('testing/tiny-onnx.js')
const { writeToneClips } = await built('testing/index.js')

const folder = mkdtempSync(join(tmpdir(), 'sonotext-embed-killed-'))
const at = (...names) => join(folder, ...names)
const points = Number(values.points)
const rng = new Rng(Number(values.seed), 'kills')
try {
  const count = await writeInputs(values.data)
  const whole = await embed()
  if (whole.code !== 0)
    throw new Error(`the call that was left alone ended with ${whole.code}:\n${whole.said}`)
  const wanted = bytesOf()
  const most = filesIn(at('features'))

  const kept = values.along ? await alongOne(wanted, most) : await oneByOne(wanted, most)
  const between = kept.filter((files) => files > 0 && files < most).length
  console.log(
    `embedding ${count} recordings killed at ${points} points${values.along ? ' of one run' : ''} (${between} with some of the ${most} files kept)` +
      ` and called again: the same bytes`,
  )
} finally {
  rmSync(folder, { recursive: true })
}

/** Kills embeddings that begin with nothing, each once. Gives the files that each kill left. */
async function oneByOne(wanted, most) {
  const kept = []
  for (let point = 1; point <= points; point++) {
    forget()
    await embed(rng.int(most + 1))
    kept.push(filesIn(at('features')))
    await toTheEnd(wanted, kept.at(-1))
    process.stderr.write(`${point}/${points}: ${kept.at(-1)} files kept\n`)
  }
  return kept
}

/** Kills one embedding again and again on its way. Gives the files that each kill left. */
async function alongOne(wanted, most) {
  const kept = []
  forget()
  const drawn = Array.from({ length: points }, () => rng.int(most + 1)).toSorted((a, b) => a - b)
  for (const [point, enough] of drawn.entries()) {
    await embed(enough)
    kept.push(filesIn(at('features')))
    process.stderr.write(`${point + 1}/${points}: ${kept.at(-1)} files kept\n`)
  }
  // What the last kill left may be all of it: only the vectors are then missing.
  await toTheEnd(wanted, kept.at(-1))
  return kept
}

/** What a call that nobody kills makes of what is kept must be what was wanted. */
async function toTheEnd(wanted, files) {
  const again = await embed()
  if (again.code !== 0) throw new Error(`after a kill the call ended with ${again.code}:\n${again.said}`)
  if (bytesOf() !== wanted)
    throw new Error(
      `killed with ${files} files kept, the vectors are others than those of the call left alone`,
    )
}

function forget() {
  for (const name of ['features', 'vectors']) rmSync(at(name), { recursive: true, force: true })
}

/** Manifest, configuration and models; how many recordings there are. */
async function writeInputs(data) {
  const [model, frontEnd, dim] =
    data === undefined
      ? [at('audio.onnx'), { preset: 'yamnet' }, 3]
      : [join(data, 'models', 'yamnet256.onnx'), { preset: 'yamnet' }, 256]
  if (data === undefined) writeFileSync(model, tinyAudioTower())
  writeFileSync(at('text.onnx'), tinyTextTower({ pooled: true, dim }))
  writeFileSync(at('tokenizer.json'), tinyTokenizer())
  const files =
    data === undefined
      ? (await writeToneClips(folder)).clips.map(({ audio }) => audio)
      : (await readCsv(join(data, 'metadata.csv'))).rows.map((row) => resolve(data, row.get('file')))
  const lines = files.map((audio, i) => JSON.stringify({ id: `${i}`, audio, captions: ['a dog barks'] }))
  writeFileSync(at('all.jsonl'), `${lines.join('\n')}\n`)
  const config = {
    data: { manifest: at('all.jsonl'), cache: at('features') },
    features: { type: 'onnx', model, frontEnd, pool: ['mean'] },
    model: { audio: 'frozen', text: { type: 'onnx', model: at('text.onnx') }, similarity: 'pooled' },
  }
  writeFileSync(at('pair.json'), JSON.stringify(config))
  return files.length
}

/** Runs `sonotext embed`, killed once so many files are kept. */
async function embed(enough = null) {
  const launcher = join(root, 'packages/cli/bin/sonotext.js')
  const args = ['embed', at('pair.json'), '--out', at('vectors'), '--quiet']
  const child = spawn(process.execPath, [launcher, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text) => (said += text))
  const look = () => filesIn(at('features')) >= enough && child.kill('SIGKILL')
  const timer = enough === null ? undefined : setInterval(look, 2)
  const code = await new Promise((done) => child.once('close', done))
  clearInterval(timer)
  return { code, said }
}

/** SHA-256 over all files that embed wrote. */
function bytesOf() {
  const hash = createHash('sha256')
  for (const name of readdirSync(at('vectors')).toSorted())
    hash.update(name).update(readFileSync(at('vectors', name)))
  return hash.digest('hex')
}

function filesIn(path) {
  try {
    return readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      .length
  } catch {
    return 0
  }
}
