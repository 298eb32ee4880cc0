import { spawn } from 'node:child_process'

/** Runs a command on this terminal and returns its exit code; Ctrl-C reaches it, and we wait for it to stop cleanly. */
export async function inherited(command, args, { cwd, env }) {
  const ignore = () => {}
  process.on('SIGINT', ignore)
  process.on('SIGTERM', ignore)
  try {
    return await new Promise((done, failed) => {
      const child = spawn(command, args, { cwd, env, stdio: 'inherit' })
      process.removeListener('SIGTERM', ignore)
      const forward = () => child.kill('SIGTERM')
      process.on('SIGTERM', forward)
      child.on('error', failed)
      child.on('close', (code, signal) => {
        process.removeListener('SIGTERM', forward)
        done(code ?? (signal === 'SIGINT' ? 130 : 143))
      })
    })
  } finally {
    process.removeListener('SIGINT', ignore)
  }
}
