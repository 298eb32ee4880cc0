#!/usr/bin/env node
// Time of info_nce, value and gradients, beside that of the matrix products it consists of, in turns on one thread:
//
//   node tools/compare/info-nce.mjs [PAIRS] [ROUNDS]
//
// The products are the scores and the gradients of clips and of captions, 512 dimensions: three where the scores are kept (up to 4096
// pairs), four where they are computed twice.
import process from 'node:process'
import { openBackend } from '@sonotext/core/backend'
import { Rng } from '@sonotext/core/base'
import { environment, environmentLine } from '../../packages/bench/dist/harness/environment.js'

const [n = 4096, rounds = 7] = process.argv.slice(2).map(Number)
const d = 512
const backend = openBackend({ threads: 1 })
const rng = new Rng(1, 'info-nce')
const unit = () => {
  const [rows, out] = [Float32Array.from({ length: n * d }, () => rng.normal()), new Float32Array(n * d)]
  backend.run('l2_normalize', { x: rows, out, norms: new Float32Array(n), rows: n, cols: d, eps: 1e-12 })
  return out
}
const [audio, text, grad, scores] = [unit(), unit(), new Float32Array(n * d), new Float32Array(n * n)]
const loss = {
  ...{ audio, text, n, d, groups: Int32Array.from({ length: n }, (_, i) => i), positives: 0, hard: 1, toText: 1, toAudio: 1 },
  ...{ excludeOffsets: null, excludeIndex: null, targets: null, targetOffsets: null, targetIndex: null, targetWeights: null },
  ...{ logTemperature: Float32Array.of(Math.log(0.07)), gradLogTemperature: new Float32Array(1), stats: new Float32Array(4) },
  ...{ gradAudio: new Float32Array(n * d), gradText: grad },
} // prettier-ignore
const gemm = (a, b, out, cols, k, transA, transB) => () =>
  backend.run('gemm', {
    a,
    b,
    bias: null,
    out,
    m: n,
    n: cols,
    k,
    transA,
    transB,
    alpha: 1,
    beta: 0,
    slope: 1,
  })
const parts = {
  info_nce: () => backend.run('info_nce', loss),
  scores: gemm(audio, text, scores, n, d, 0, 1),
  ofAudio: gemm(scores, text, grad, d, n, 0, 0),
  ofText: gemm(scores, audio, grad, d, n, 1, 0),
}
const times = Object.fromEntries(Object.keys(parts).map((name) => [name, []]))
for (let round = -1; round < rounds; round++) {
  for (const [name, run] of Object.entries(parts)) {
    const start = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(start)
    if (round >= 0) times[name].push((user + system) / 1000)
  }
}
const best = Object.fromEntries(Object.entries(times).map(([name, all]) => [name, Math.min(...all)]))
const products = best.scores + best.ofAudio + best.ofText
console.log(
  `${n} pairs: info_nce ${best.info_nce.toFixed(0)} ms; the scores ${best.scores.toFixed(0)}, gradients ${best.ofAudio.toFixed(0)} and ${best.ofText.toFixed(0)} ms`,
)
console.log(
  `${(best.info_nce / products).toFixed(2)} times three products, ${(best.info_nce / (products + best.scores)).toFixed(2)} times four`,
)
console.log(environmentLine(environment()))
