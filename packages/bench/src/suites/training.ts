/**
 * Training speed of the thesis CRNN, beside PyTorch where a Python with it is given:
 *
 *     nx run bench:training --pytorch /path/to/python
 *
 * Both sides take the same step in turn (A B A B …) from the same weights on the same batch, so that whatever else the
 * machine does hits both.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { machineReport } from '@sonotext/core/backend'
import { startPyTorch } from '../training/pytorch.js'
import { profileTable, spread, stepTable } from '../training/report.js'
import { stepFlops, type StepTimes, TrainingStep } from '../training/step.js'

const { values: options } = parseArgs({
  options: {
    pytorch: { type: 'string' },
    rounds: { type: 'string', default: '11' },
    batch: { type: 'string', default: '32' },
    frames: { type: 'string', default: '500' },
    threads: { type: 'string', default: '2' },
    out: { type: 'string' },
  },
})
const positive = (name: 'rounds' | 'batch' | 'frames' | 'threads'): number => {
  const value = Number(options[name])
  if (!(Number.isInteger(value) && value >= 1)) {
    throw new Error(`Expected a whole number from 1 for --${name}, got "${options[name]}".`)
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

/** Threads of the side that has just run may still be waiting for work; let them sleep. */
const settle = (): Promise<void> => pause(200)

function commit(): string {
  try {
    const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim()
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : ' with changes')
  } catch {
    return 'unknown'
  }
}

/** Both losses from the start weights: the two sides must compute the same thing before their times mean anything. */
async function agreement(other: { loss(): Promise<number> }): Promise<number> {
  using plain = new TrainingStep(size, threads, 0)
  const [ours, theirs] = [plain.loss(), await other.loss()]
  const difference = Math.abs(ours - theirs) / Math.abs(theirs)
  if (!(difference < 1e-4)) throw new Error(`The losses differ: Sonotext ${ours}, PyTorch ${theirs}.`)
  return difference
}

const started = await startPyTorch(options.pytorch, size, threads)
const pytorch = typeof started === 'string' ? null : started
if (typeof started === 'string') console.log(`PyTorch is left out: ${started}.`)
const lossDifference = pytorch && (await agreement(pytorch))

using ours = new TrainingStep(size, threads, 0.3)
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
const { info } = ours.backend
const ratios = pytorchSteps.map(({ seconds }, i) => seconds / sonotextSteps[i]!.seconds)
const ratio = pytorch && spread(ratios)
const about = {
  cpu: cpus()[0]?.model ?? 'unknown',
  isa: info.isa,
  threads,
  node: process.version,
  compiler: machineReport().compiler,
  pytorch: pytorch?.version ?? null,
  commit: commit(),
  date: new Date().toISOString().slice(0, 10),
  command: `nx run bench:training --rounds ${rounds} --batch ${batch} --frames ${frames} --threads ${threads}`,
}
const sides = [
  { name: `Sonotext, ${info.isa}`, steps: sonotextSteps },
  ...(pytorch ? [{ name: `PyTorch ${pytorch.version}, channels_last`, steps: pytorchSteps }] : []),
]
const text = [
  `Thesis CRNN, batch ${batch}, ${frames} × 64 frames, forward, backward and Adam: ${(flops / 1e9).toFixed(1)} GFLOP a step,`,
  `${threads} threads, ${rounds} rounds in turn. ${Object.entries(about)
    .map(([name, value]) => `${name}: ${value}`)
    .join('; ')}.`,
  '',
  stepTable(sides, flops),
  '',
  ...(ratio
    ? [
        `Sonotext is ${ratio.median.toFixed(2)} times as fast (median of the rounds; quartiles ` +
          `${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)}). The losses of the first batch differ by ` +
          `${lossDifference!.toExponential(1)} relatively.`,
        '',
      ]
    : []),
  'Where the time goes (medians of five profiled steps):',
  '',
  profileTable(profiles, 24),
].join('\n')
console.log(text)
if (options.out !== undefined) {
  const result = {
    ...about,
    size,
    flops,
    ratio,
    lossDifference,
    sonotext: sonotextSteps,
    pytorch: pytorchSteps,
    profiles,
  }
  writeFileSync(`${options.out}.json`, `${JSON.stringify(result, null, 1)}\n`)
  writeFileSync(`${options.out}.md`, `# Training speed\n\n${text}\n`)
}
