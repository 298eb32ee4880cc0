import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Runs `work` while holding the lock file: two commands started at once in one clone must not build over each other. Waits
 * for a living holder; the lock of a process that died is taken over.
 */
export async function withLock(file, { say, interval = 300 }, work) {
  mkdirSync(dirname(file), { recursive: true })
  let told = false
  while (!take(file)) {
    const holder = Number(read(file))
    if (holder > 0 && !alive(holder)) {
      rmSync(file, { force: true })
      continue
    }
    if (!told) say(`Waiting for another setup in this folder (process ${holder}) …`)
    told = true
    await new Promise((done) => setTimeout(done, interval))
  }
  const release = () => rmSync(file, { force: true })
  process.once('exit', release)
  try {
    return await work()
  } finally {
    release()
    process.removeListener('exit', release)
  }
}

function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
