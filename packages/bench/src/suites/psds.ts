/**
 * What the polyphonic sound detection scores take of memory on a collection as large as AudioSet's strong labels:
 *
 *     nx run bench:psds -- --clips 10000 --classes 500 --max-mib 1024 --out docs/results/psds.md
 *
 * Scores are drawn when their class is read, smooth over time, with events that they follow. Fails when the resident set grew past --max-mib.
 */
import '../direct.js'
import { writeFile } from 'node:fs/promises'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { type DetectionClip, psds, psdsScenarios } from '@sonotext/core/align'
import { environment, environmentLine } from '../harness/environment.js'
import { markdownTable } from '../harness/table.js'

const { values } = parseArgs({
  options: {
    clips: { type: 'string', default: '10000' },
    classes: { type: 'string', default: '500' },
    frames: { type: 'string', default: '250' },
    scenarios: { type: 'string', default: 'psds1,psds2' },
    'max-mib': { type: 'string', default: '1024' },
    out: { type: 'string' },
  },
})
const [clipCount, classCount, frames, mostMib] = [
  values.clips,
  values.classes,
  values.frames,
  values['max-mib'],
].map(Number) as [number, number, number, number]
const duration = 10
const frameStep = duration / frames

/** Xorshift (Marsaglia 2003): over a billion numbers are drawn, and nothing depends on how good they are. */
class Draws {
  #state: number
  constructor(seed: number) {
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0 || 1
  }
  uniform(): number {
    let s = this.#state
    s ^= s << 13
    s ^= s >>> 17
    s ^= s << 5
    this.#state = s >>> 0
    return this.#state / 2 ** 32
  }
}

const names = Array.from({ length: classCount }, (_, c) => `class ${c}`)
const clips = Array.from({ length: clipCount }, (_, c): DetectionClip => {
  const draws = new Draws(c + 1)
  const events = Array.from({ length: 1 + Math.floor(draws.uniform() * 4) }, () => {
    const onset = draws.uniform() * 8
    const offset = Math.min(duration, onset + 0.2 + draws.uniform() * 4)
    return { label: names[Math.floor(draws.uniform() ** 2 * classCount)]!, onset, offset }
  })
  return { id: `clip ${c}`, duration, frames, frameStep, events }
})

/** A class's scores of one clip after the other, in memory that is used again: noise, smoothed, with what is there added. */
function* scoresOf(label: string, index: number): Generator<Float32Array> {
  const scores = new Float32Array(frames)
  for (const [c, { events }] of clips.entries()) {
    const draws = new Draws(index * clipCount + c + 1)
    let level = draws.uniform()
    for (let i = 0; i < frames; i++) scores[i] = level += 0.3 * (draws.uniform() - level)
    for (const event of events) {
      if (event.label !== label) continue
      const last = Math.min(frames, Math.ceil(event.offset / frameStep))
      for (let i = Math.floor(event.onset / frameStep); i < last; i++) scores[i]! += 0.35
    }
    yield scores
  }
}

const rows: { scenario: string; value: number; seconds: number; mib: number }[] = []
for (const scenario of values.scenarios.split(',') as (keyof typeof psdsScenarios)[]) {
  const start = process.hrtime.bigint()
  const { value } = await psds(clips, names, scoresOf, {
    scenario: psdsScenarios[scenario],
    onClass: (done, total) => {
      if (done % 50 === 0) console.error(`${scenario}: ${done}/${total} classes`)
    },
  })
  const seconds = Number(process.hrtime.bigint() - start) / 1e9
  rows.push({ scenario, value, seconds, mib: process.resourceUsage().maxRSS / 1024 })
}
const text = [
  '# Polyphonic sound detection scores of a large collection',
  '',
  `${clipCount} clips of ${duration} s, ${classCount} classes, ${frames} frames a clip and class: ${((clipCount * classCount * frames) / 1e9).toFixed(2)} billion scores, which would`,
  `take ${((clipCount * classCount * frames * 4) / 2 ** 30).toFixed(1)} GiB. They are drawn class by class, so seconds are those of drawing and of scoring.`,
  'Memory is the largest resident set of the process so far.',
  '',
  markdownTable<(typeof rows)[number]>(
    [
      { title: 'scenario', align: 'left', text: ({ scenario }) => scenario },
      { title: 'score', align: 'right', text: ({ value }) => value.toFixed(4) },
      { title: 's', align: 'right', text: ({ seconds }) => seconds.toFixed(0) },
      { title: 'peak memory', align: 'right', text: ({ mib }) => `${mib.toFixed(0)} MiB` },
    ],
    rows,
  ),
  '',
  `\`nx run bench:psds -- --clips ${clipCount} --classes ${classCount} --frames ${frames}\``,
  '',
  environmentLine(environment()),
  '',
].join('\n')
console.log(text)
if (values.out !== undefined) await writeFile(values.out, text)
const most = Math.max(...rows.map(({ mib }) => mib))
console.log(`PSDS of ${clipCount} clips × ${classCount} classes within ${most.toFixed(0)} MiB`)
if (most > mostMib) {
  console.error(`The resident set grew to ${most.toFixed(0)} MiB, past ${mostMib}.`)
  process.exitCode = 1
}
