import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { placeVariables } from './place.js'

/** Options of {@link launchRanks}. */
export interface LaunchRanksOptions {
  /** Processes to start, 2 or more. */
  ranks: number
  /** Program and arguments, the same for every rank. Default: `node` as this process runs. */
  command?: string
  args: readonly string[]
  /** Further variables of every rank. */
  env?: Readonly<Record<string, string>>
  /** Told every line that a rank but the first writes; rank 0 has the streams of this process. */
  onLine?: (rank: number, line: string) => void
  /** Asks the ranks to stop (SIGINT). */
  signal?: AbortSignal
  /** How long the others may take to end by themselves when one has failed, ms. Default 20,000. */
  grace?: number
}

/**
 * Starts the ranks of a run on this machine, each a process that {@link openComm} joins to the others. When one fails, the others end by
 * themselves, or are ended after the grace. None outlives this process. Returns the exit code of the one that failed first, 0 when none did; 128 + 9
 * stands for one that was killed, as a shell has it.
 */
export async function launchRanks(options: LaunchRanksOptions): Promise<number> {
  const {
    ranks,
    command = process.execPath,
    args,
    env = {},
    onLine = () => {},
    signal,
    grace = 20_000,
  } = checkOptions(options, 'launchRanks')
  if (!(Number.isInteger(ranks) && ranks >= 2)) throw expected('an integer of at least 2', 'ranks', ranks)
  const folder = await mkdtemp(join(tmpdir(), 'sonotext-ranks-'))
  const children: ChildProcess[] = []
  const kill = (name: NodeJS.Signals): void => {
    for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill(name)
  }
  const killAll = (): void => kill('SIGKILL')
  const stop = (): void => kill('SIGINT')
  process.once('exit', killAll)
  signal?.addEventListener('abort', stop)
  let late: NodeJS.Timeout | undefined
  let failure = 0
  try {
    await Promise.all(
      Array.from({ length: ranks }, async (_, rank) => {
        const child = spawn(command, args, {
          // Ctrl-C reaches them once, through this process.
          detached: true,
          stdio: rank === 0 ? ['ignore', 'inherit', 'inherit', 'ipc'] : ['ignore', 'pipe', 'pipe', 'ipc'],
          env: {
            ...process.env,
            ...env,
            [placeVariables.rank]: String(rank),
            [placeVariables.size]: String(ranks),
            [placeVariables.file]: join(folder, 'address'),
          },
        })
        children.push(child)
        for (const stream of [child.stdout, child.stderr])
          if (stream !== null) lines(stream, (line) => onLine(rank, line))
        const code = await ended(child)
        if (code === 0 || failure !== 0) return
        failure = code
        late = setTimeout(killAll, grace)
      }),
    )
  } finally {
    clearTimeout(late)
    killAll()
    process.off('exit', killAll)
    signal?.removeEventListener('abort', stop)
    await rm(folder, { recursive: true, force: true })
  }
  return failure
}

/** Resolves when it is over and its output read. Rejects where it could not be started. */
function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, name) => resolve(code ?? 128 + (name === 'SIGTERM' ? 15 : 9)))
  })
}

function lines(stream: NodeJS.ReadableStream, tell: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop()!
    for (const line of parts) tell(line)
  })
  stream.on('end', () => rest !== '' && tell(rest))
}
