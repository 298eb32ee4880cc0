import { fork } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { CheckError } from './check/check-error.js'

/**
 * What a suite sends that is started again in a process of its own, whose memory is then its own too. Through run-suite.js: started by itself
 * it would run in a process of that process, and nothing that it sends would arrive.
 * @throws CheckError when it ends otherwise; `what` says in the message what it was to do
 */
export async function answerOfSuite<T>(suite: string, options: readonly string[], what: string): Promise<T> {
  const child = fork(fileURLToPath(new URL('run-suite.js', import.meta.url)), [suite, ...options])
  const [[answer], [code]] = await Promise.all([
    Promise.race([once(child, 'message'), once(child, 'exit')]),
    once(child, 'exit'),
  ])
  if (code !== 0) throw new CheckError(`${what} ended with ${String(code)}.`)
  return answer as T
}

/** The other end. */
export function answer(message: object): void {
  process.send!(message)
  process.disconnect()
}
