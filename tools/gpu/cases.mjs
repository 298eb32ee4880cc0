/**
 * Every case of the shared suite on a device, against the float64 reference, without a test runner:
 *
 *     node tools/gpu/cases.mjs [device [op,…]]      cuda unless another is named; of all ops, or of those whose names begin so
 *
 * With SONOTEXT_MATMUL=tf32 or bf16 what ops make of matrix products may be as far off as rounded operands take it: by the length of the
 * difference beside that of the output.
 */
import { openBackend, referenceBackend } from '@sonotext/core/backend'
import { backendCases, checkCase, runCase } from '@sonotext/core/testing'

const [device = 'cuda', ops = ''] = process.argv.slice(2)
const cases = backendCases.filter(({ op }) => ops.split(',').some((name) => op.startsWith(name)))
if (cases.length === 0) {
  console.error(`There is no case of ${ops}.`)
  process.exit(2)
}
const backend = openBackend({ device })
const rounding = { fp32: 0, tf32: 1e-3, bf16: 1e-2 }[backend.info.matmul]
/** What temperatures of 0.001 and saturated gates make of a rounding; a number in a wrong place makes far more. */
const amplified = 10
const products = /^(gemm|batched_gemm|similarity|conv2d|frame_score|info_nce|sigmoid_pair|gru)(_backward)?$/
const reference = referenceBackend({ precision: 'float64' })

/** What is wrong with a product of rounded operands. */
function farOff(testCase) {
  const got = runCase(backend, testCase)
  const problems = []
  for (const [name, wanted] of runCase(reference, testCase)) {
    const own = got.get(name)
    let [difference, norm, broken] = [0, 0, 0]
    for (const [i, value] of wanted.entries()) {
      if (Number.isFinite(value) && Number.isFinite(own[i])) {
        difference += (own[i] - value) ** 2
        norm += Math.max(value ** 2, (testCase.scale ?? 0) ** 2)
      } else if (!Object.is(own[i], value)) broken += 1
    }
    const share = difference === 0 ? 0 : Math.sqrt(difference / norm)
    if (broken > 0 || !(share <= amplified * rounding)) {
      const what = `${share.toPrecision(3)} of its length off, ${broken} not finite on one side`
      problems.push(`${testCase.op}.${name}, ${testCase.name}: ${what}`)
    }
  }
  return problems
}

const elsewhere = new Set()
process.on('warning', ({ code, message }) => code === 'SONOTEXT_FALLBACK' && elsewhere.add(message))
const problems = []
for (const testCase of cases) {
  try {
    const isRounded = rounding > 0 && products.test(testCase.op)
    problems.push(...(isRounded ? farOff(testCase) : checkCase(backend, testCase)))
  } catch (error) {
    problems.push(`${testCase.op}, ${testCase.name}: ${error.message}`)
  }
}
await new Promise((resolve) => setImmediate(resolve))
for (const message of elsewhere) console.log(message)
for (const problem of problems) console.log(problem)
console.log(
  `${cases.length} cases on ${backend.info.device}, products in ${backend.info.matmul}, ${problems.length} problems, ${elsewhere.size} ops taken elsewhere`,
)
process.exitCode = problems.length > 0 ? 1 : 0
