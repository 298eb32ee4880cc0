/**
 * Imported first by every suite: one that is started by itself (`node suites/kernels.js`) runs through run-suite.js all the same, whose help
 * and errors are for all of them. run-suite.js imports this before a suite, and then nothing happens here.
 */
import { spawnSync } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const started = process.argv[1] === undefined ? '' : realpathSync(process.argv[1])
if (dirname(started) === fileURLToPath(new URL('suites', import.meta.url))) {
  const program = fileURLToPath(new URL('run-suite.js', import.meta.url))
  const args = [...process.execArgv, program, basename(started, '.js'), ...process.argv.slice(2)]
  process.exit(spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 2)
}
