import { resolve } from 'node:path'
import { glibcVersion, systemName } from './system.js'

/** A place where the addon was looked for. */
export interface Attempt {
  /** File, or name of a package that is not installed. */
  readonly path: string
  /** Why loading failed; null when there is no such file. */
  readonly problem: string | null
}

export interface Where {
  /** What SONOTEXT_ADDON says. */
  readonly named: string | undefined
  /** Whether this is the repository, and not an installed package. */
  readonly inClone: boolean
  /** Of this package; null where its code stands in a bundle. */
  readonly version: string | null
}

/** Like a help page: the cause, what was tried, and what to run. */
export function explainAttempts(attempts: readonly Attempt[], { named, inClone, version }: Where): string {
  const broken = attempts.find(({ problem }) => problem !== null)
  const build = inClone ? 'npm run setup' : 'npx sonotext-native build'
  const isNamed = Boolean(named) && attempts.every(({ path }) => path === resolve(named!))
  return [
    `The native addon of Sonotext could not be loaded: ${causeOf(broken, isNamed)}`,
    `This is ${systemName()}, Node ${process.version}. Tried:`,
    ...attempts.map(({ path, problem }) => `  ${path}: ${said(path, problem)}`),
    ...(isNamed
      ? [
          `The environment variable SONOTEXT_ADDON names this file (SONOTEXT_ADDON=${named}): correct it, or unset it to look in the usual places.`,
        ]
      : []),
    ...(version === null
      ? [
          'This code stands in a bundle: keep @sonotext/native-cuda outside of it (esbuild --external:@sonotext/native-cuda; webpack externals; Vite ssr.external; Next.js serverExternalPackages).',
        ]
      : []),
    ...(inClone || isNamed
      ? []
      : [
          `Install the package of this platform, if there is one:  npm install @sonotext/native-${systemName()}${version === null ? '' : `@${version}`}`,
        ]),
    `${inClone || isNamed ? 'Build it' : 'Or build it'}${inClone ? ' in the folder of the repository' : ''}:  ${build}`,
    'A build needs a C++20 compiler (GCC 11, Clang 14 or newer) and, better, CMake: on Debian and Ubuntu `apt install g++ cmake`.',
    "Everything also runs without the addon, many times more slowly, on device 'reference'.",
  ].join('\n')
}

function causeOf(broken: Attempt | undefined, isNamed: boolean): string {
  if (broken === undefined)
    return isNamed ? 'there is no such file.' : 'it is not installed and was not built.'
  const problem = firstLine(broken.problem!)
  const needed = /GLIBC_(\d[\d.]*)['’]? not found/.exec(problem)?.[1]
  if (needed !== undefined) {
    return `it was built for glibc ${needed} or newer, and this system has ${glibcVersion() ?? 'none'}.`
  }
  if (/GLIBCXX_|CXXABI_/.test(problem)) {
    return `it was built with a newer C++ library than this system has (${problem}).`
  }
  if (
    /invalid ELF header|wrong ELF class|incompatible architecture|not a mach-o|not a valid Win32/i.test(
      problem,
    )
  ) {
    return `the file is no addon for this system (${problem}).`
  }
  return problem
}

function said(path: string, problem: string | null): string {
  if (problem !== null) return firstLine(problem)
  return path.startsWith('@') ? 'not installed' : 'no such file'
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!
}
