/**
 * Training speed of the thesis CRNN, beside PyTorch where a Python with it is given:
 *
 *     nx run bench:training [--pytorch /path/to/python] [--rounds 11] [--threads 2] [--device cuda] [--json FILE] [--markdown FILE]
 *
 * Both sides take the same step in turn (A B A B …) from the same weights on the same batch, so that whatever else the
 * machine does hits both.
 */
import '../direct.js'
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { openBackend, type OpenBackendOptions } from '@sonotext/core/backend'
import { CheckError } from '../check/check-error.js'
import { environment, environmentLine } from '../harness/environment.js'
import { settle } from '../harness/settle.js'
import { quantile } from '../harness/statistics.js'
import { startPyTorch } from '../training/pytorch.js'
import { profileTable, stepTable } from '../training/report.js'
import { stepFlops, type StepTimes, TrainingStep } from '../training/step.js'

const { values: options } = parseArgs({
  options: {
    pytorch: { type: 'string' },
    rounds: { type: 'string', default: '11' },
    batch: { type: 'string', default: '32' },
    frames: { type: 'string', default: '500' },
    threads: { type: 'string', default: '2' },
    device: { type: 'string', default: 'cpu' },
    json: { type: 'string' },
    markdown: { type: 'string' },
  },
})
const positive = (name: 'rounds' | 'batch' | 'frames' | 'threads'): number => {
  const value = Number(options[name])
  if (!(Number.isInteger(value) && value >= 1)) {
    throw new CheckError(`Expected a whole number from 1 for --${name}, got "${options[name]}".`)
  }
  return value
}
const [rounds, batch, frames, threads] = [
  positive('rounds'),
  positive('batch'),
  positive('frames'),
  positive('threads'),
]
const size = { batch, frames }
const device = options.device as NonNullable<OpenBackendOptions['device']>

/** Both losses from the start weights: the two sides must compute the same thing before their times mean anything. */
async function agreement(other: { loss(): Promise<number> }): Promise<number> {
  using plain = new TrainingStep(size, openBackend({ device, threads }), 0)
  const [ours, theirs] = [plain.loss(), await other.loss()]
  const difference = Math.abs(ours - theirs) / Math.abs(theirs)
  if (!(difference < 1e-4)) throw new CheckError(`The losses differ: Sonotext ${ours}, PyTorch ${theirs}.`)
  return difference
}

const started = await startPyTorch(options.pytorch, size, threads, device === 'cpu' ? 'cpu' : 'cuda')
const pytorch = typeof started === 'string' ? null : started
if (typeof started === 'string') console.log(`PyTorch is left out: ${started}.`)
const lossDifference = pytorch && (await agreement(pytorch))

using ours = new TrainingStep(size, openBackend({ device, threads }), 0.3)
const sonotextSteps: StepTimes[] = []
const pytorchSteps: StepTimes[] = []
for (let round = -2; round < rounds; round++) {
  await settle()
  const own = ours.run()
  await settle()
  const other = await pytorch?.step()
  if (round < 0) continue
  sonotextSteps.push(own)
  if (other) pytorchSteps.push(other)
}
await pytorch?.[Symbol.asyncDispose]()
const profiles = Array.from({ length: 5 }, () => ours.profile())

const flops = stepFlops(size)
const env = environment()
const { info } = ours.backend
const isa = info.isa ?? info.device
const ratios = pytorchSteps.map(({ seconds }, i) => seconds / sonotextSteps[i]!.seconds)
const ratio = pytorch && {
  median: quantile(ratios, 0.5),
  low: quantile(ratios, 0.25),
  high: quantile(ratios, 0.75),
}
const compiled = process.env['SONOTEXT_TORCH_COMPILE'] === '1' ? ', compiled' : ''
const sides = [
  { name: `Sonotext, ${isa}`, steps: sonotextSteps },
  ...(pytorch ? [{ name: `PyTorch ${pytorch.version}, channels_last${compiled}`, steps: pytorchSteps }] : []),
]
const text = [
  '# Training speed',
  '',
  `One training step of the thesis CRNN with pooled InfoNCE: batch ${batch}, ${frames} × 64 frames, forward, backward and Adam,`,
  `${(flops / 1e9).toFixed(1)} GFLOP, ${device === 'cpu' ? `${threads} threads` : device}. Both sides start from the same weights and batch and take their steps in`,
  `turn, ${rounds} each after two to warm up. Made by \`nx run bench:training\`${pytorch ? ' with `--pytorch`' : ''}.`,
  '',
  environmentLine(env),
  '',
  stepTable(sides, flops),
  '',
  ...(ratio
    ? [
        `Sonotext is **${ratio.median.toFixed(2)} times** as fast (median over the rounds; quartiles ` +
          `${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)}). The losses of the first batch, without dropout, differ by ` +
          `${lossDifference!.toExponential(1)} relatively.`,
        '',
      ]
    : []),
  'GFLOP/s are nominal: those of the direct sums, which Winograd convolutions do in fewer.',
  '',
  '## Where the time goes',
  '',
  'Medians of five profiled steps.',
  '',
  profileTable(profiles, 24),
  '',
].join('\n')
console.log(text)
if (options.markdown !== undefined) await writeFile(options.markdown, text)
if (options.json !== undefined) {
  const result = {
    environment: env,
    isa,
    threads,
    ...size,
    flops,
    pytorchVersion: pytorch?.version ?? null,
    ratio,
    lossDifference,
    sonotext: sonotextSteps,
    pytorch: pytorchSteps,
    profiles,
  }
  await writeFile(options.json, `${JSON.stringify(result, null, 1)}\n`)
}
