import { join } from 'node:path'
import { buildForArm } from './arm.mjs'
import { lastLine } from './commands.mjs'
import { leaksOf } from './leaks.mjs'

const fuzz = 'tools/fuzz.mjs'

/** Everything `npm run nightly` does. A stage builds into its own folder; the addon of the checkout stays as it is. */
export const stages = [
  {
    name: 'fuzz',
    what: '10,000 random calls of every op under AddressSanitizer and UBSan',
    async run(context) {
      const { exec } = context
      const { addon, env } = await withAddressSanitizer(context)
      const trace = join(context.folder, 'last-call.txt')
      const options = { SONOTEXT_ADDON: addon, ...env, ASAN_OPTIONS: 'detect_leaks=0' }
      return lastLine(
        await exec(process.execPath, [fuzz, '--calls', '10000', '--trace', trace], { env: options }),
      )
    },
  },
  {
    name: 'leaks',
    what: 'worker threads load the addon, use every handle and op, and go: LeakSanitizer',
    async run(context) {
      const { exec } = context
      const { addon, env } = await withAddressSanitizer(context)
      // use_tls=0: the thread-local memory of threads that are gone cannot be scanned, and trying ends the scan.
      const settings = {
        ASAN_OPTIONS: 'detect_leaks=1:fast_unwind_on_malloc=0',
        LSAN_OPTIONS: 'exitcode=0:use_tls=0',
      }
      const program = 'tools/nightly/load-use-unload.mjs'
      const output = await exec(process.execPath, [program], {
        env: { SONOTEXT_ADDON: addon, ...env, ...settings },
      })
      if (output.includes('LeakSanitizer has encountered a fatal error'))
        throw new Error('the scan for leaks died')
      const { ours, others } = leaksOf(output)
      if (ours.length > 0)
        throw new Error(`${ours.length} leaks of the addon, the first: ${ours[0].split('\n', 1)[0]}`)
      const used = /^used .*$/m.exec(output)?.[0]
      if (used === undefined) throw new Error('the program did not come to its end')
      return `${used}; no leak of ours, ${others.length} of Node's own`
    },
  },
  {
    name: 'emulation',
    what: 'the whole case suite, gradients included, on a CUDA device that is the emulation; all ops with CUDA graphs; products in bf16 and tf32 as GPUs of 8.0 and 9.0 make them',
    async run({ exec, root }) {
      const built = join(root, 'packages/native-cuda/build/native/test')
      const last = async (env, program, ...args) => lastLine(await exec(program, args, { env }))
      const suite = { SONOTEXT_ADDON: join(built, 'sonotext_emulated.node') }
      const lines = [await last(suite, process.execPath, 'tools/gpu/cases.mjs', 'cuda')]
      lines.push(await last({ SONOTEXT_CUDA_GRAPHS: '1' }, join(built, 'conformance_emulated')))
      const products = 'gemm,batched_gemm,similarity,conv2d,frame_score,info_nce,sigmoid_pair,gru'
      for (const SONOTEXT_EMULATED_CAPABILITY of ['8.0', '9.0']) {
        for (const SONOTEXT_MATMUL of ['bf16', 'tf32']) {
          const env = { SONOTEXT_EMULATED_CAPABILITY, SONOTEXT_MATMUL }
          lines.push(await last(env, join(built, 'conformance_emulated'), 'cuda:0', products))
          lines.push(
            await last({ ...suite, ...env }, process.execPath, 'tools/gpu/cases.mjs', 'cuda', products),
          )
        }
      }
      return lines.join('; ')
    },
  },
  {
    name: 'ranks',
    what: 'a CRNN trained by two ranks on emulated GPUs with a stand-in for NCCL, and by one process: the same',
    async run({ exec }) {
      return lastLine(await exec(process.execPath, ['tools/nightly/emulated-ranks.mjs']))
    },
  },
  {
    name: 'neon',
    what: 'the kernels on an emulated 64-bit Arm CPU: every op, drawn and in the case suite, against the reference',
    async run(context) {
      const { program, script } = await buildForArm(context)
      const neon = { SONOTEXT_ISA: 'neon' }
      // A set that is not there is a skip to the runner, whose last line then counts no cases.
      const conformance = lastLine(await program('conformance', ['cpu'], neon))
      if (!/^[1-9]\d* cases compared, 0 differ/.test(conformance)) throw new Error(conformance)
      // These run both sets: what holds for every op, and random calls. The suite needs one alone: the sets were just compared.
      await program('contract')
      const fuzz = lastLine(await script('tools/fuzz.mjs', ['--calls', '500']))
      const cases = lastLine(await script('tools/gpu/cases.mjs', ['cpu'], neon))
      return `${conformance}; ${fuzz}; ${cases}`
    },
  },
  {
    name: 'races',
    what: 'callers of the pool, its size changing, calls cancelled, the runner: ThreadSanitizer',
    async run({ exec, needs, folder, root }) {
      needs('cmake', 'g++')
      const native = join(root, 'packages', 'native-cuda')
      const programs = [['stress', '1000'], ['stress_runner', '20'], ['contract']]
      const options = ['-DSONOTEXT_SANITIZE=thread', '-DSONOTEXT_CUDA=OFF', '-DCMAKE_CXX_COMPILER=g++']
      await exec('cmake', ['-S', native, '-B', folder, ...options])
      await exec('cmake', [
        '--build',
        folder,
        '--parallel',
        '2',
        '--target',
        ...programs.map(([name]) => name),
      ])
      const env = { TSAN_OPTIONS: 'halt_on_error=1' }
      const seen = []
      for (const [name, ...args] of programs) {
        seen.push(lastLine(await exec(join(folder, 'native', 'test', name), args, { env })))
      }
      return seen.join('; ')
    },
  },
  {
    name: 'files',
    what: '100,000 mutated files for every reader of foreign bytes: audio, CSV, JSONL, safetensors, NPY, word vectors, rankings',
    async run({ exec, root }) {
      const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
      const reporter = join(root, 'tools', 'setup', 'summary-reporter.mjs')
      const tests = ['audio/fuzz', 'testing/text-fuzz'].map((name) => `packages/core-ts/src/${name}.test.ts`)
      const args = ['run', '--testTimeout=7200000', '--reporter=default', `--reporter=${reporter}`, ...tests]
      return lastLine(await exec(process.execPath, [vitest, ...args], { env: { SONOTEXT_FUZZ: '100000' } }))
    },
  },
  {
    name: 'large',
    what: 'an index whose file is longer than 2 GiB is saved, loaded and searched, within 1.5 times its size',
    async run({ exec }) {
      return lastLine(await exec(process.execPath, ['tools/nightly/large-index.mjs']))
    },
  },
  {
    name: 'kills',
    what: 'a training killed at 50 random moments and resumed ends with the same bits',
    async run({ exec, folder }) {
      const out = join(folder, 'resume.md')
      const options = ['--points', '50', '--out', out]
      return lastLine(await exec(process.execPath, ['tools/nightly/kill-and-resume.mjs', ...options]))
    },
  },
  {
    name: 'embed',
    what: 'embedding recordings, killed at 30 points and called again, ends with the same bytes',
    async run({ exec }) {
      const data = process.env.SONOTEXT_DATA
      const options = ['--points', '30', ...(data === undefined ? [] : ['--data', data])]
      return lastLine(await exec(process.execPath, ['tools/nightly/embed-killed.mjs', ...options]))
    },
  },
  {
    name: 'clang',
    what: 'a build with Clang and libc++ passes the tests of the addon and the backends',
    async run({ build, suite, needs, folder }) {
      needs('cmake', 'clang++')
      const libcxx = '-stdlib=libc++'
      return suite(await build(folder, { env: { CXX: 'clang++', CXXFLAGS: libcxx, LDFLAGS: libcxx } }))
    },
  },
  ...['gyp', 'direct'].map((way) => ({
    name: way,
    what: `a build ${way === 'gyp' ? 'with node-gyp' : 'with the compiler alone'} passes the same tests`,
    async run({ build, suite, needs, folder }) {
      if (way === 'gyp') needs('python3', 'make')
      return suite(await build(folder, { env: { SONOTEXT_BUILD: way } }))
    },
  })),
  ...[22, 26].map((version) => ({
    name: `node-${version}`,
    what: `the addon of the checkout passes the same tests in Node ${version}`,
    async run({ exec, suite, needs, folder, root }) {
      needs('npm')
      const name = `node-${process.platform}-${process.arch}`
      const options = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--prefix', folder]
      await exec('npm', ['install', ...options, `${name}@${version}`])
      const node = join(folder, 'node_modules', name, 'bin', 'node')
      const found = lastLine(await exec(node, ['--version']))
      return `${found}: ${await suite(addonOf(root), { node })}`
    },
  })),
  {
    name: 'release',
    what: 'tarballs installed and run in every setting that people link them in: npm run release:dry',
    async run({ exec }) {
      const output = await exec(process.execPath, ['tools/release/dry.mjs'])
      return /^\d+ passed, .*$/m.exec(output)[0]
    },
  },
  {
    name: 'psds',
    what: 'sound detection scores of 10,000 clips × 500 classes within 1 GiB',
    async run({ exec }) {
      return lastLine(
        await exec(process.execPath, ['packages/bench/dist/suites/psds.js', '--max-mib', '1024']),
      )
    },
  },
  {
    name: 'terminate',
    what: '200 workers terminated in the middle of ops through the public API, 20 times in a row',
    async run({ exec }) {
      return lastLine(await exec(process.execPath, ['packages/core-ts/stress/terminate.mjs', '200', '20']))
    },
  },
]

function addonOf(root) {
  return join(root, 'packages', 'native-cuda', 'build', 'Release', 'sonotext.node')
}

/** An addon with AddressSanitizer and UBSan, and what a Node without them needs in its environment to load it. */
async function withAddressSanitizer({ exec, build, needs, root }) {
  needs('cmake', 'g++')
  const addon = await build(join(root, 'build', 'nightly', 'address'), {
    env: { CXX: 'g++' },
    options: ['SONOTEXT_SANITIZE=address'],
  })
  // The runtime has to come first in the process, and it looks for the C++ library's functions as it starts.
  const libraries = ['libasan.so', 'libstdc++.so.6'].map((name) => exec('g++', [`-print-file-name=${name}`]))
  return { addon, env: { LD_PRELOAD: (await Promise.all(libraries)).map((path) => path.trim()).join(':') } }
}
