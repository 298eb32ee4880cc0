#!/usr/bin/env node
// What choosing negatives costs: a whole training step of the thesis CRNN (32 clips of 10 s, frame × word scores, triplet loss, Adam) with
// `random` negatives and with `hard-audio`, whose planes are 32 × 32 scores of frames with themselves, in float32 and in bf16. And those
// planes alone. All in one process, in turns, so that whatever else the machine does hits all of them:
//
//   node tools/compare/mining.mjs [--rounds 11] [--clips 32] [--frames 500] [--threads 1] [--isa avx512bf16]
//
// Prints medians, and of each ratio the median and the quartiles over the rounds. Says nothing of an instruction that the CPU has not:
// the third column of its first line is what ran.
import { parseArgs } from 'node:util'
import { nativeBackend } from '../../packages/core-ts/dist/backend/index.js'
import { Rng } from '../../packages/core-ts/dist/base/index.js'
import { LossInput, tripletLoss } from '../../packages/core-ts/dist/losses/index.js'
import { crnn } from '../../packages/core-ts/dist/models/index.js'
import { strategies } from '../../packages/core-ts/dist/negatives/index.js'
import { Tape } from '../../packages/core-ts/dist/nn/index.js'
import { frameWord } from '../../packages/core-ts/dist/similarity/index.js'
import { itemsOf } from '../../packages/core-ts/dist/testing/index.js'
import { adam } from '../../packages/core-ts/dist/train/index.js'
import { loadAddon } from '../../packages/native-cuda/dist/index.js'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '11' },
    clips: { type: 'string', default: '32' },
    frames: { type: 'string', default: '500' },
    threads: { type: 'string', default: '1' },
    isa: { type: 'string' },
  },
})
const [rounds, clips, frames, threads] = ['rounds', 'clips', 'frames', 'threads'].map((name) => {
  const value = Number(values[name])
  if (Number.isInteger(value) && value >= 1) return value
  console.error(`Expected a whole number from 1 for --${name}, got "${values[name]}".`)
  return process.exit(2)
})
const words = 12
loadAddon().setThreads(threads)

/** Vectors of length 1. */
function unitRows(rng, rows, d) {
  const out = new Float32Array(rows * d)
  for (let r = 0; r < rows; r++) {
    const row = out.subarray(r * d, (r + 1) * d).map(() => rng.normal())
    out.set(
      row.map((x) => x / Math.hypot(...row)),
      r * d,
    )
  }
  return out
}

function trainingStep(negatives, backend) {
  const encoder = crnn({ dropout: 0.2 }).build(backend, new Rng(1))
  const optimizer = adam({ lr: 1e-4 }).start(backend, encoder.parameters())
  const loss = tripletLoss({ negatives: strategies.build(negatives) }).build(backend)
  const rng = new Rng(2)
  const input = Float32Array.from({ length: clips * frames * encoder.bands }, () => rng.normal())
  const captions = unitRows(rng, clips * words, encoder.dim)
  const [frameLengths, wordLengths] = [frames, words].map((n) => new Int32Array(clips).fill(n))
  const items = itemsOf(Int32Array.from({ length: clips }, (_, i) => i))
  return () => {
    const tape = new Tape(backend, { training: true, rng })
    const features = tape.constant([clips, frames, encoder.bands], input)
    const audio = encoder.forward(tape, features, frameLengths)
    const text = { values: tape.constant([clips, words, encoder.dim], captions), lengths: wordLengths }
    const value = loss.compute(new LossInput(tape, frameWord(), { audio, text, items }), rng).loss
    for (const parameter of encoder.parameters().values()) parameter.zeroGrad()
    tape.backward(value)
    optimizer.step(1e-4, optimizer.gradientNorm())
    tape[Symbol.dispose]()
  }
}

function planes(backend, d = 300) {
  const own = unitRows(new Rng(3), clips * frames, d)
  const lengths = new Int32Array(clips).fill(frames)
  const out = new Float32Array(clips * clips)
  const sizes = { clips, captions: clips, maxFrames: frames, maxWords: frames, d, reduction: 0 }
  const call = { frames: own, words: own, frameLengths: lengths, wordLengths: lengths, out, ...sizes }
  return () => backend.run('frame_score', call)
}

const [float32, bf16] = ['fp32', 'bf16'].map((matmul) => nativeBackend({ matmul, isa: values.isa }))
const subjects = {
  'random step, float32': trainingStep('random', float32),
  'hard-audio step, float32': trainingStep('hard-audio', float32),
  'hard-audio step, bf16': trainingStep('hard-audio', bf16),
  'planes alone, float32': planes(float32),
  'planes alone, bf16': planes(bf16),
}
const times = Object.fromEntries(Object.keys(subjects).map((name) => [name, []]))
for (let round = -1; round < rounds; round++) {
  for (const [name, run] of Object.entries(subjects)) {
    const start = performance.now()
    run()
    if (round >= 0) times[name].push(performance.now() - start)
  }
}
const quantile = (all, share) => all.toSorted((a, b) => a - b)[Math.round(share * (all.length - 1))]
console.log(
  `${clips} clips of ${frames} frames, ${float32.info.isa} in float32, ${bf16.info.isa} in bf16, ${threads} threads, ${rounds} rounds`,
)
for (const [name, all] of Object.entries(times))
  console.log(`${name.padEnd(26)}${quantile(all, 0.5).toFixed(0).padStart(7)} ms`)
for (const [a, b] of [
  ['hard-audio step, float32', 'random step, float32'],
  ['hard-audio step, bf16', 'random step, float32'],
  ['planes alone, float32', 'planes alone, bf16'],
]) {
  const ratios = times[a].map((time, i) => time / times[b][i])
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(ratios, share).toFixed(2))
  console.log(`${a} / ${b}: ${middle} (${low} to ${high})`)
}
