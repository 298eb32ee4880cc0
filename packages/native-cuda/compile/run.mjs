import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Something the user can act on: what is wrong, and what to do. */
export class SetupError extends Error {
  constructor(message, remedy) {
    super(message)
    this.remedy = remedy
  }
}

/**
 * Runs a command with its output kept in the file `log`; throws a SetupError with its last lines when it fails.
 * `show`: all lines, for tools whose output is short.
 */
export async function captured(command, args, { cwd, env = process.env, log, show = false }) {
  const chunks = []
  const code = await new Promise((done, failed) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.on('data', (chunk) => chunks.push(chunk))
    child.stderr.on('data', (chunk) => chunks.push(chunk))
    child.on('error', failed)
    child.on('close', done)
  }).catch((error) => {
    throw new SetupError(`Could not start ${command}: ${error.message}.`, 'Is it installed and in PATH?')
  })
  const output = Buffer.concat(chunks).toString('utf8')
  mkdirSync(dirname(log), { recursive: true })
  writeFileSync(log, `$ ${[command, ...args].join(' ')}\n${output}`)
  if (code === 0) return output
  const lines = output.trimEnd().split('\n')
  const shown = show ? lines : lines.slice(-40)
  throw new SetupError(
    `${[command, ...args].slice(0, 3).join(' ')} … failed (exit ${code}):\n\n${shown.join('\n')}\n`,
    `The whole output is in ${log}`,
  )
}
