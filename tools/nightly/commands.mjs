import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { buildAddon } from '../../packages/native-cuda/compile/addon.mjs'
import { missing } from '../program.mjs'
import { Skipped } from './run.mjs'

/** The last part of a command's output that its failure is told with. */
const kept = 2000

/** What stages do, with all output in the log. */
export function commandsOf(log, root) {
  const bin = join(root, 'node_modules', '.bin')
  const base = { ...process.env, PATH: [bin, process.env.PATH].join(delimiter) }

  /** Runs a command and resolves to its output; `env` is added to the environment. */
  async function exec(command, args, { env = {}, cwd = root, fails = false } = {}) {
    log.write(
      `$ ${[...Object.entries(env).map(([name, value]) => `${name}=${value}`), command, ...args].join(' ')}\n`,
    )
    let output = ''
    const child = spawn(command, args, { cwd, env: { ...base, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        log.write(text)
        output += text
      })
    }
    const status = await new Promise((done, failed) => {
      child.on('error', failed)
      child.on('close', (code, signal) => done(code ?? signal))
    })
    if (status === 0 || fails) return output
    const lines = output.slice(-kept).trimEnd().split('\n')
    const told = lines.findLast((line) => /^\w*Error\b.*: /.test(line)) ?? lines.at(-1)
    throw new Error(`${[command, ...args].join(' ')} ended with ${status}: ${told}`)
  }

  return {
    exec,
    /**
     * Skips the stage (in CI: fails it) where programs of it are missing. `{ program, from }` says which Debian package has one
     * whose name does not.
     */
    needs(...programs) {
      const reasons = programs.flatMap((entry) => {
        const { program, from } = typeof entry === 'string' ? { program: entry } : entry
        const reason = missing(program, { ...base, CI: undefined })
        return reason === null ? [] : [from === undefined ? reason : `${reason} (Debian: ${from})`]
      })
      if (reasons.length > 0) throw new Skipped(reasons.join('; '))
    },
    /** Builds the addon into a folder of its own and resolves to its path. `env` is added to the environment. */
    async build(into, { env = {}, options = [] } = {}) {
      const say = (line) => log.write(`${line}\n`)
      return buildAddon({
        node: process.execPath,
        env: { ...base, SONOTEXT_CUDA: '0', ...env },
        say,
        into,
        options,
      })
    },
    /** Runs the tests of the addon and of the backends on an addon; resolves to their count. */
    async suite(addon, { node = process.execPath } = {}) {
      const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
      const reporter = join(root, 'tools', 'setup', 'summary-reporter.mjs')
      const args = [vitest, 'run', '--reporter=default', `--reporter=${reporter}`]
      const output = await exec(node, [...args, 'packages/native-cuda', 'packages/core-ts/src/backend'], {
        env: { SONOTEXT_ADDON: addon },
      })
      return lastLine(output)
    },
  }
}

export function lastLine(output) {
  return output.trimEnd().split('\n').at(-1)
}
