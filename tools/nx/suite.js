// The Nx executor of the bench suites: hands every option on as it was written, so that help and errors are the suite's own. Nx makes 1 of
// every exit code that is not 0; who needs the suite's own runs node packages/bench/dist/run-suite.js.
module.exports = async function runSuite({ suite, __unparsed__: options = [] }, { root }) {
  const { spawn } = await import('node:child_process')
  const { join } = await import('node:path')
  const program = join(root, 'packages', 'bench', 'dist', 'run-suite.js')
  const child = spawn(process.execPath, [program, suite, ...options], { cwd: root, stdio: 'inherit' })
  const code = await new Promise((done) => child.once('close', done))
  if (code > 1) console.error(`bench:${suite} ended with exit code ${code}, of which Nx makes 1.`)
  return { success: code === 0 }
}
