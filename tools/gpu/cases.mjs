/**
 * Every case of the shared suite on a device, against the float64 reference, without a test runner:
 *
 *     node tools/gpu/cases.mjs [device]      cuda unless another is named
 */
import { openBackend } from '@sonotext/core/backend'
import { backendCases, checkCase } from '@sonotext/core/testing'

const device = process.argv[2] ?? 'cuda'
const backend = openBackend({ device })
const elsewhere = new Set()
process.on('warning', ({ code, message }) => code === 'SONOTEXT_FALLBACK' && elsewhere.add(message))
const problems = []
for (const testCase of backendCases) {
  try {
    problems.push(...checkCase(backend, testCase))
  } catch (error) {
    problems.push(`${testCase.op}, ${testCase.name}: ${error.message}`)
  }
}
await new Promise((resolve) => setImmediate(resolve))
for (const message of elsewhere) console.log(message)
for (const problem of problems) console.log(problem)
console.log(
  `${backendCases.length} cases on ${backend.info.device}, ${problems.length} problems, ${elsewhere.size} ops taken elsewhere`,
)
process.exitCode = problems.length > 0 ? 1 : 0
