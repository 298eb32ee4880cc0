import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { SetupError } from '../../packages/native-cuda/compile/run.mjs'

const oldest = [22, 13]

export function newEnough(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number)
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1])
}

/** The Node to run the job with: this one, or the one that npm installed beside the packages. */
export function chooseNode(root) {
  if (newEnough(process.version)) return process.execPath
  const local = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node')
  if (existsSync(local)) return local
  throw new SetupError(
    `Sonotext needs Node ${oldest.join('.')} or newer; this is ${process.version}, and node_modules has none for ` +
      `${process.platform}-${process.arch}.`,
    'Install a newer Node (https://nodejs.org) and run the same command again.',
  )
}
