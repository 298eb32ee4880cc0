// Which programs the tests need and what happens where one is missing.
import { findProgram } from '../packages/native-cuda/compile/program.mjs'

/**
 * The reason to skip a test that needs a program; null when the program is there. In CI (CI=true) there is no such reason:
 * it throws, because tools/ci-packages.txt has to name the package that brings the program.
 */
export function missing(program, env = process.env) {
  if (findProgram(program, env) !== undefined) return null
  if (env.CI !== 'true') return `there is no ${program} on this machine`
  throw new Error(
    `There is no ${program}, and in CI that is a failure: add its Debian package to tools/ci-packages.txt, or install it.`,
  )
}
