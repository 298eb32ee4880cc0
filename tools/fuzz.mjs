#!/usr/bin/env node
// Random calls of every op against the float64 reference, on every instruction set of this CPU and several thread counts.
// Runs on the built TypeScript and addon; SONOTEXT_ADDON names another addon, such as one with sanitizers (npm run nightly).
//
//   node tools/fuzz.mjs [--calls 10000] [--seed n] [--only op,op] [--at n] [--matmul bf16]
//
// --at n draws the n-th call of each op alone: `--seed 7 --only gemm --at 41` repeats what a report names. --matmul bf16 opens the devices
// so and holds them against a reference that rounds the same operands.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { nativeBackend } from '../packages/core-ts/dist/backend/native.js'
import { referenceBackend } from '../packages/core-ts/dist/backend/reference/index.js'
import { signatures } from '../packages/core-ts/dist/backend/signatures.js'
import { fuzz } from '../packages/core-ts/dist/testing/fuzz/index.js'
import { loadAddon } from '../packages/native-cuda/dist/index.js'

const options = { calls: { type: 'string', default: '1000' }, seed: { type: 'string' }, only: { type: 'string' }, at: { type: 'string' }, trace: { type: 'string' }, matmul: { type: 'string', default: 'fp32' } } // prettier-ignore
const { values } = parseArgs({ options })
const whole = (name, otherwise) => {
  const value = Number(values[name] ?? otherwise)
  if (Number.isSafeInteger(value) && value >= 0) return value
  fail(`Expected an integer of 0 or more for --${name}, got ${values[name]}.`)
}
function fail(message) {
  console.error(message)
  process.exit(2)
}

const only = values.only?.split(',')
const unknown = only?.find((op) => !Object.hasOwn(signatures, op))
if (unknown !== undefined)
  fail(`There is no op "${unknown}"; there are ${Object.keys(signatures).join(', ')}.`)
const { matmul } = values
if (!['fp32', 'bf16'].includes(matmul)) fail(`Expected fp32 or bf16 for --matmul, got ${matmul}.`)
const rounding = matmul === 'fp32' ? '' : ` --matmul ${matmul}`
const exact = referenceBackend({ precision: 'float64', matmul })
const seed = whole('seed', Math.floor(Math.random() * 2 ** 32))
const at = values.at === undefined ? undefined : whole('at')
const addon = loadAddon()
const sets = addon.instructionSets().filter(({ supported }) => supported)
const threads = [1, 2, 3, 7]
console.log(
  `fuzz: seed ${seed}${rounding}, ${sets.map(({ name }) => name).join(', ')}, ${threads.join(', ')} threads, ${addon.buildInfo().compiler}`,
)

const report = await fuzz({
  seed,
  calls: whole('calls'),
  only,
  at,
  threads,
  backends: new Map(sets.map(({ name }) => [name, nativeBackend({ isa: name, matmul })])),
  reference: (op, args) => exact.run(op, args),
  setThreads: addon.setThreads,
  // A process that dies of a call says by this file which it was.
  onCall: (op, at) =>
    values.trace !== undefined && writeFileSync(values.trace, `--seed ${seed} --only ${op} --at ${at}\n`),
})
for (const { op, at, what } of report.problems) {
  console.log(`${op}: ${what}\n  node tools/fuzz.mjs --seed ${seed} --only ${op} --at ${at}${rounding}`)
}
const { compared, runs, spoiled, refused, untouched, problems } = report
for (const op of untouched) console.log(`${op}: no drawn call passed the check`)
console.log(
  `fuzz: ${compared} calls compared in ${runs} runs, ${spoiled} calls with a fault put in, ${refused} refused alike, ` +
    `${problems.length} problems`,
)
process.exitCode = problems.length + untouched.length === 0 ? 0 : 1
