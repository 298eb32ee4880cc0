/**
 * Writes docs/results/gpu.md from what the runners on a GPU machine left:
 *
 *     node tools/gpu/report.mjs --ours bench.json,bench-bf16.json --torch torch.json [--step step-10s.json,step-30s.json,step-compiled.json]
 *                               [--mixed mixed-500.json,mixed-1500.json] [--notes FILE] --machine machine.txt
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const names = ['ours', 'torch', 'step', 'mixed', 'machine', 'notes']
const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) })
const json = (list) =>
  (list ?? '')
    .split(',')
    .filter(Boolean)
    .map((file) => JSON.parse(readFileSync(file, 'utf8')))
const ours = json(values.ours)
const [torch] = json(values.torch)
const machine = readFileSync(values.machine, 'utf8').trim().split('\n')

const theirs = (op, shape, precision) =>
  torch.rows.find(
    (row) => row.op === op && row.shape === shape && row.precision === precision && !row.compiled,
  )?.ms
const number = (x) => (x === undefined ? '–' : x >= 100 ? x.toFixed(0) : x >= 1 ? x.toFixed(2) : x.toFixed(4))
const percent = (x) => `${(100 * x).toFixed(0)} %`
/** Their time, and how many times as fast ours is. */
const beside = (other, ms) => `${number(other)} | ${other === undefined ? '–' : (other / ms).toFixed(2)}`
const products = /^(similarity|gemm|conv2d|info_nce|frame_score)/

/** One table for a precision; in the reduced ones only the ops that it changes. */
function table({ matmul, tensorCores, rows, copyGBs, peakTflops }) {
  const shown = rows.filter(({ op }) => matmul === 'fp32' || products.test(op))
  const lines = shown.map(({ op, shape, ms, copyShare, tflops, peakShare }) => {
    const other = theirs(op, shape, matmul)
    const mixed = matmul === 'bf16' ? [beside(theirs(op, shape, 'mixed'), ms)] : []
    const rate = `${tflops.toFixed(1)} TFLOP/s`
    const share =
      tflops === 0 || peakShare < copyShare
        ? `${percent(copyShare)} of copy`
        : matmul === 'fp32'
          ? `${rate}, ${percent(peakShare)} of peak`
          : rate
    return `| ${[op, shape, number(ms), share, beside(other, ms), ...mixed].join(' | ')} |`
  })
  return [
    `## Products in ${matmul}${matmul !== 'fp32' && tensorCores === 'mma' ? ' by mma.sync' : ''}`,
    '',
    `Copy ${copyGBs.toFixed(0)} GB/s and FP32 multiply-adds ${peakTflops.toFixed(1)} TFLOP/s, measured in the same process.`,
    '',
    `| op | shape | ms | share | PyTorch eager, ms | times as fast |${matmul === 'bf16' ? ' PyTorch from and to fp32, ms | times as fast |' : ''}`,
    `| --- | --- | ---: | ---: | ---: | ---: |${matmul === 'bf16' ? ' ---: | ---: |' : ''}`,
    ...lines,
    '',
  ]
}

function steps() {
  const all = json(values.step).map((step, i) => ({
    ...step,
    compiled: values.step.split(',')[i].includes('compiled'),
  }))
  if (all.length === 0) return []
  const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]
  return [
    '## A training step',
    '',
    'The thesis CRNN with pooled InfoNCE, forward, backward and Adam, from Node.js, in turn with PyTorch (`nx run bench:training --device cuda --pytorch python3`); FP32 on both sides.',
    '',
    '| batch × frames | PyTorch | ms | PyTorch, ms | times as fast (quartiles) |',
    '| --- | --- | ---: | ---: | ---: |',
    ...all.map(({ batch, frames, sonotext, pytorch, ratio, compiled }) => {
      const ms = (list) => (1000 * median(list.map(({ seconds }) => seconds))).toFixed(1)
      const theirs = [compiled ? 'compiled' : 'eager', ms(sonotext), ms(pytorch)]
      return `| ${[`${batch} × ${frames}`, ...theirs].join(' | ')} | ${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)}) |`
    }),
    ...json(values.mixed).map(({ batch, frames, sonotext }) => {
      const ms = (1000 * median(sonotext.map(({ seconds }) => seconds))).toFixed(1)
      return `| ${batch} × ${frames}, products in bf16 | – | ${ms} | – | – |`
    }),
    '',
  ]
}

const text = [
  '# On a GPU',
  '',
  'Every kernel beside its floor and beside PyTorch. Made by `tools/gpu/run.sh` and `tools/gpu/node.sh` on the machine, and `node tools/gpu/report.mjs` from what they left.',
  '',
  `${machine[0]}; ${machine[1]}; ${machine.find((line) => line.startsWith('commit'))}; PyTorch ${torch.torch}. Medians of device times after a warm-up; operands drawn at random.`,
  '',
  ...(values.notes === undefined ? [] : [readFileSync(values.notes, 'utf8').trim(), '']),
  ...steps(),
  ...ours.flatMap(table),
].join('\n')
writeFileSync(fileURLToPath(new URL('../../docs/results/gpu.md', import.meta.url)), text)
