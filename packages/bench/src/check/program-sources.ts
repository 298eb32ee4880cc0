import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'

/** A hash of what the program `instructions` is built from, as native/bench/sources.cmake computes it. */
export function hashOfSources(native: string): string {
  const below = (folder: string): string[] =>
    readdirSync(join(native, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(native.length + 1)
          .split(sep)
          .join('/'),
      )
  const single = ['../CMakeLists.txt', 'bench/call_file.hpp', 'bench/instructions.cpp']
  const files = [...below('core'), ...below('cpu'), ...single].sort()
  const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')
  return sha256(files.map((file) => `${file} ${sha256(readFileSync(join(native, file)))}\n`).join(''))
}

/**
 * Why a program's counts would not be those of the sources beside it; null where they are. One that was built earlier, or copied, counts
 * what it was built from. A build without its sources (a copy of another) has nothing to be held against.
 */
export function ofOtherSources(program: string, folder: string): string | null {
  const native = join(folder, 'native')
  if (!existsSync(native)) return null
  let built: string
  try {
    built = execFileSync(program, ['--sources'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    built = 'unknown'
  }
  return built === hashOfSources(native)
    ? null
    : `${program} was built from other sources than those of ${native} (npm run setup builds it again)`
}
