import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import type { AnyKernelRow } from '../rows/kernel-rows.js'
import { callFile } from './call-file.js'
import { ofOtherSources } from './program-sources.js'

/** Instructions of one call of every row, by `row, instruction set`. */
export type InstructionCounts = Readonly<Record<string, number>>

/** What valgrind runs. It knows nothing of AVX-512. */
export const countedSets = ['scalar', 'avx2'] as const

export const rowName = ({ op, shape }: AnyKernelRow): string => `${op} ${shape}`

/** The program of a build that callgrind runs, and the sources that it is to be of. */
export function instructionsProgram(build: string): string {
  return join(build, 'packages', 'native-cuda', 'build', 'native', 'bench', 'instructions')
}

/** Why instructions of a build cannot be counted here; null where they can. */
export function cannotCount(build: string): string | null {
  const path = (process.env['PATH'] ?? '').split(delimiter)
  if (!path.some((folder) => folder !== '' && existsSync(join(folder, 'valgrind')))) {
    return 'there is no valgrind on this machine (Debian: apt install valgrind)'
  }
  const program = instructionsProgram(build)
  if (!existsSync(program)) {
    return `there is no ${program}: the addon was built without CMake, or before this program was there (npm run setup)`
  }
  return ofOtherSources(program, join(build, 'packages', 'native-cuda'))
}

/**
 * Counts with callgrind. `slow` has an op's calls counted for a share more, as if its kernel were slower: all of its work is done
 * that much more often.
 */
export async function countInstructions(
  program: string,
  rows: readonly AnyKernelRow[],
  sets: readonly string[],
  slow: ReadonlyMap<string, number> = new Map(),
): Promise<InstructionCounts> {
  const folder = await mkdtemp(join(tmpdir(), 'sonotext-callgrind-'))
  try {
    const calls = join(folder, 'calls')
    await writeFile(calls, callFile(planted(rows, slow), rowName))
    const counts = await Promise.all(
      sets.map(async (isa) => {
        const profile = join(folder, isa)
        const valgrind = ['--tool=callgrind', '--collect-atstart=no', `--callgrind-out-file=${profile}`]
        await promisify(execFile)('valgrind', [...valgrind, program, calls, isa]).catch((error: unknown) => {
          const { stderr, message } = error as Error & { stderr?: string }
          throw new Error(`valgrind ${program}: ${stderr?.trim() || message}`)
        })
        const summed = new Map<string, number[]>()
        for (const [name, count] of await profiles(folder, isa)) {
          summed.set(name, [...(summed.get(name) ?? []), count])
        }
        return [...summed].map(([name, all]) => {
          const once = all.reduce((sum, count) => sum + count, 0) / (slow.has(opOf(name)) ? usualCalls : 1)
          return [`${name}, ${isa}`, Math.round(once)] as const
        })
      }),
    )
    return Object.fromEntries(counts.flat())
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A slowed op is called this often, and a share more, and what that took is given as if it were so many calls. */
const usualCalls = 4

const opOf = (name: string): string => name.split(' ', 1)[0]!

function planted(rows: readonly AnyKernelRow[], slow: ReadonlyMap<string, number>): AnyKernelRow[] {
  return rows.flatMap((row) => {
    const factor = slow.get(row.op)
    return factor === undefined ? [row] : Array.from({ length: Math.round(usualCalls * factor) }, () => row)
  })
}

/** Name and count of each profile that callgrind wrote: one a call, numbered as they came. */
async function profiles(folder: string, isa: string): Promise<[string, number][]> {
  const files = (await readdir(folder)).filter((file) => file.startsWith(`${isa}.`))
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
  return texts.flatMap((text): [string, number][] => {
    const name = /^desc: Trigger: Client Request: (.+)$/m.exec(text)?.[1]
    const count = /^(?:totals|summary): (\d+)/m.exec(text)?.[1]
    return name === undefined || count === undefined ? [] : [[name, Number(count)]]
  })
}
