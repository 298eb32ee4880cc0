/**
 * What each negative-sampling strategy costs in a training step:
 *
 *     nx run bench:negatives
 *
 * One batch of unit frame and word vectors at the sizes of the thesis (32 pairs, 10 s clips, E = 300). Strategies run in
 * turn, round after round, so that whatever else the machine does hits all of them; medians are reported.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { openBackend } from '@sonotext/core/backend'
import { Rng } from '@sonotext/core/base'
import { LossInput, tripletLoss } from '@sonotext/core/losses'
import { strategies } from '@sonotext/core/negatives'
import { Tape } from '@sonotext/core/nn'
import { frameWord } from '@sonotext/core/similarity'
import { itemsOf } from '@sonotext/core/testing'
import { environment, environmentLine } from '../harness/environment.js'
import { summarise } from '../harness/statistics.js'
import { type Column, markdownTable } from '../harness/table.js'

const { values: options } = parseArgs({
  options: {
    pairs: { type: 'string', default: '32' },
    frames: { type: 'string', default: '500' },
    words: { type: 'string', default: '12' },
    dim: { type: 'string', default: '300' },
    rounds: { type: 'string', default: '7' },
    threads: { type: 'string' },
    device: { type: 'string', default: 'auto' },
    json: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
})
const whole = (name: 'pairs' | 'frames' | 'words' | 'dim' | 'rounds'): number => {
  const value = Number(options[name])
  if (!Number.isInteger(value) || value < 2) throw new Error(`Expected a whole number from 2 for --${name}.`)
  return value
}
const [n, t, w, d] = [whole('pairs'), options.quick ? 60 : whole('frames'), whole('words'), whole('dim')]
const rounds = options.quick ? 3 : whole('rounds')

const backend = openBackend({
  device: options.device as 'auto',
  ...(options.threads === undefined ? {} : { threads: Number(options.threads) }),
})

/** Unit vectors with a common direction, so that scores are as positive as those of a model in training. */
function unitVectors(count: number, rng: Rng): Float32Array {
  const values = Float32Array.from({ length: count * d }, () => rng.normal() + 0.3)
  for (let i = 0; i < count; i++) {
    const row = values.subarray(i * d, (i + 1) * d)
    const norm = Math.hypot(...row)
    for (let j = 0; j < d; j++) row[j]! /= norm
  }
  return values
}

const frames = unitVectors(n * t, new Rng(1, 'frames'))
const words = unitVectors(n * w, new Rng(1, 'words'))
const lengths = new Rng(1, 'lengths')
const frameLengths = Int32Array.from({ length: n }, () => t - lengths.int(Math.ceil(t / 4)))
const wordLengths = Int32Array.from({ length: n }, () => w - lengths.int(Math.ceil(w / 2)))
const items = itemsOf(Int32Array.from({ length: n }, (_, i) => i))
const similarity = frameWord()

/** Milliseconds of the parts of one step, and what the strategy found. */
interface StepCost {
  scores: number
  planes: number
  select: number
  backward: number
  /** Mean score of the chosen negatives less that of the positives: above -margin a hinge is active. */
  lead: number
}

function step(name: string): StepCost {
  const strategy = strategies.build(name)
  using tape = new Tape(backend, { training: true, rng: new Rng(3, 'dropout') })
  const audio = { values: tape.variable([n, t, d], frames), lengths: frameLengths }
  const text = { values: tape.constant([n, w, d], words), lengths: wordLengths }
  const clock = new Clock()
  const input = new LossInput(tape, similarity, { audio, text, items })
  input.scores.toArray()
  const scoresMs = clock.lap()
  input.planes(strategy.needs)
  const planesMs = clock.lap()
  let selectMs = 0
  const timed = {
    ...strategy,
    select(...args: Parameters<typeof strategy.select>) {
      const inner = new Clock()
      const picks = strategy.select(...args)
      selectMs = inner.lap()
      return picks
    },
  }
  const loss = tripletLoss({ negatives: timed, margin: 0.5 }).build(backend)
  const { loss: value, statistics } = loss.compute(input, new Rng(5, 'loss'))
  const { meanNegative, meanPositive } = statistics() as { meanNegative: number; meanPositive: number }
  tape.backward(value)
  const backwardMs = clock.lap() - selectMs
  return {
    scores: scoresMs,
    planes: planesMs,
    select: selectMs,
    backward: backwardMs,
    lead: meanNegative - meanPositive,
  }
}

class Clock {
  #last = performance.now()

  /** Milliseconds since the last call. */
  lap(): number {
    const now = performance.now()
    const passed = now - this.#last
    this.#last = now
    return passed
  }
}

const names = strategies.names.filter((name) => strategies.build(name).earlierPairs === undefined)
const costs = new Map(names.map((name) => [name, [] as StepCost[]]))
for (let round = -1; round < rounds; round++) {
  for (const name of names) {
    const cost = step(name)
    if (round >= 0) costs.get(name)!.push(cost)
  }
}

const rows = names.map((name) => {
  const all = costs.get(name)!
  const total = all.map(({ scores, planes, select, backward }) => scores + planes + select + backward)
  const part = (key: keyof StepCost): number => summarise(all.map((cost) => cost[key])).median
  return {
    strategy: name,
    reads: strategies.build(name).needs,
    scoresMs: part('scores'),
    planesMs: part('planes'),
    selectMs: part('select'),
    lossAndBackwardMs: part('backward'),
    totalMs: summarise(total),
    lead: part('lead'),
  }
})
const base = rows[0]!.totalMs.median
const about = {
  device: backend.info.device,
  isa: backend.info.isa,
  threads: backend.info.threads,
  ...environment(),
}
const size = { pairs: n, frames: t, words: w, dim: d, rounds }
const gflop = (2 * n * n * t * w * d) / 1e9
const planeGflop = (2 * n * n * t * t * d) / 1e9

type Row = (typeof rows)[number]
const left = (title: string, text: (row: Row) => string): Column<Row> => ({ title, align: 'left', text })
const right = (title: string, text: (row: Row) => string): Column<Row> => ({ title, align: 'right', text })
const columns = [
  left('strategy', (row) => row.strategy),
  left('reads', (row) => row.reads.join(', ') || 'nothing'),
  right('scores', (row) => ms(row.scoresMs)),
  right('planes', (row) => ms(row.planesMs)),
  right('select', (row) => ms(row.selectMs)),
  right('loss + backward', (row) => ms(row.lossAndBackwardMs)),
  right('total', (row) => ms(row.totalMs.median)),
  right('spread', (row) => `${(100 * row.totalMs.spread).toFixed(0)} %`),
  right('× random', (row) => (row.totalMs.median / base).toFixed(2)),
  right('lead', (row) => row.lead.toFixed(4)),
]
const text = [
  `Cost of the negative-sampling strategies: ${n} pairs, ${t} frames × ${w} words × ${d}; ${backend.info.device}, ${backend.info.isa}, ${backend.info.threads} threads; medians of ${rounds} rounds in turn, milliseconds.`,
  '',
  markdownTable(columns, rows),
  '',
  `scores: the clip × caption plane that every loss reads (${gflop.toFixed(1)} GFLOP). planes: the within-modality planes the strategy asks for (audio–audio ${planeGflop.toFixed(0)} GFLOP). lead: mean score of the chosen negatives less that of the positives.`,
  '',
  environmentLine(about),
].join('\n')
console.log(text)
if (options.json !== undefined) {
  writeFileSync(options.json, `${JSON.stringify({ ...about, size, rows }, null, 1)}\n`)
}

function ms(value: number): string {
  return value < 1 ? value.toFixed(3) : value.toFixed(1)
}
