import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { expected, SonotextError } from '../base/errors.js'
import { type Comm, singleComm } from './comm.js'
import type { Meeting } from './meeting.js'
import { joinTcp, type JoinTcpOptions } from './tcp.js'

/** Variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Variables by which {@link launchRanks} tells a process its place. */
export const placeVariables = {
  rank: 'SONOTEXT_RANK',
  size: 'SONOTEXT_RANKS',
  file: 'SONOTEXT_MEETING',
  secret: 'SONOTEXT_SECRET',
} as const

/** A process's place in a run. */
export interface Place {
  readonly rank: number
  readonly size: number
  /** Number among the processes of its machine, where the launcher says it. */
  readonly localRank: number | null
  /** Who said it, for messages. */
  readonly launcher: string
  readonly meeting: Meeting
}

/** Variables by which a launcher tells a process where it stands. */
interface Launcher {
  readonly name: string
  readonly rank: string
  readonly size: string
  readonly localRank?: string
  readonly localSize?: string
  /** Name of the job, the same for all its processes. */
  readonly job?: readonly string[]
  /** Without this variable the others mean nothing. */
  readonly only?: string
}

const launchers: readonly Launcher[] = [
  {
    name: 'sonotext',
    rank: placeVariables.rank,
    size: placeVariables.size,
    localRank: placeVariables.rank,
    localSize: placeVariables.size,
  },
  {
    name: 'Open MPI',
    rank: 'OMPI_COMM_WORLD_RANK',
    size: 'OMPI_COMM_WORLD_SIZE',
    localRank: 'OMPI_COMM_WORLD_LOCAL_RANK',
    localSize: 'OMPI_COMM_WORLD_LOCAL_SIZE',
    job: ['PMIX_NAMESPACE', 'OMPI_MCA_ess_base_jobid'],
  },
  {
    name: 'Slurm',
    rank: 'SLURM_PROCID',
    size: 'SLURM_NTASKS',
    localRank: 'SLURM_LOCALID',
    job: ['SLURM_JOB_ID'],
    // In a batch script without srun there is one process, whatever the number of tasks.
    only: 'SLURM_STEP_ID',
  },
  {
    name: 'MPICH',
    rank: 'PMI_RANK',
    size: 'PMI_SIZE',
    localRank: 'MPI_LOCALRANKID',
    localSize: 'MPI_LOCALNRANKS',
  },
  { name: 'torchrun', rank: 'RANK', size: 'WORLD_SIZE', localRank: 'LOCAL_RANK', only: 'MASTER_ADDR' },
]

/**
 * Where a launcher says that this process stands: `sonotext train --ranks`, mpirun of Open MPI or MPICH, srun, or RANK, WORLD_SIZE, MASTER_ADDR and
 * MASTER_PORT. Null without one, and for a run of one process. Ranks meet at MASTER_ADDR and MASTER_PORT where they are set, which asks
 * for SONOTEXT_SECRET, else by a file among the temporary ones of one machine.
 * @throws SonotextError INVALID_ARGUMENT for variables that make no sense or do not say where to meet
 */
export function placeFromEnvironment(env: Environment = process.env): Place | null {
  for (const launcher of launchers) {
    const { name, only } = launcher
    if (env[launcher.rank] === undefined || env[launcher.size] === undefined) continue
    if (only !== undefined && env[only] === undefined) continue
    const size = whole(env, launcher.size, 1)
    const rank = whole(env, launcher.rank, 0)
    if (rank >= size) throw expected(`a number below ${size}`, launcher.rank, rank)
    if (size === 1) return null
    const localRank =
      launcher.localRank !== undefined && env[launcher.localRank] !== undefined
        ? whole(env, launcher.localRank, 0)
        : null
    return { rank, size, localRank, launcher: name, meeting: meetingOf(env, launcher, size) }
  }
  return null
}

/** The ranks that this process's launcher started, joined; a run of one process without a launcher. Throws as its parts do. */
export async function openComm(
  options: { env?: Environment } & Pick<JoinTcpOptions, 'joinTimeout' | 'silence'> = {},
): Promise<Comm> {
  const { env = process.env, ...timeouts } = options
  const place = placeFromEnvironment(env)
  if (place === null) return singleComm()
  const { rank, size, launcher, meeting } = place
  if (launcher === launchers[0]!.name) endWithLauncher()
  return await joinTcp({ rank, size, meeting, ...timeouts })
}

/** A rank whose launcher was killed has nobody left to stop it. */
function endWithLauncher(): void {
  process.once('disconnect', () => process.exit(1))
  // Listening alone keeps nobody running.
  process.channel?.unref()
}

function meetingOf(env: Environment, { name, localSize, job = [] }: Launcher, size: number): Meeting {
  const { [placeVariables.file]: file, [placeVariables.secret]: secret, MASTER_ADDR: host } = env
  if (file !== undefined && file !== '') return { file }
  if (host !== undefined && host !== '') {
    if (secret === undefined || secret.length < 16) {
      throw expected(
        '16 characters or more that only the ranks know',
        placeVariables.secret,
        secret?.length ?? 'none',
        {
          remedy: `Set it for all ranks, as ${placeVariables.secret}=$(openssl rand -hex 32): who knows it can join the run.`,
        },
      )
    }
    return { host, port: whole(env, 'MASTER_PORT', 1), secret }
  }
  const here = localSize === undefined || env[localSize] === undefined ? size : whole(env, localSize, 1)
  const id = job.map((variable) => env[variable]).find((value) => value !== undefined)
  if (here < size || id === undefined) {
    throw new SonotextError(
      'INVALID_ARGUMENT',
      here < size
        ? `${name} runs ${size} processes on several machines, and they do not know where to meet.`
        : `${name} does not say which job its processes are of, so they cannot meet by themselves.`,
      {
        remedy: `Set MASTER_ADDR (the machine of rank 0), MASTER_PORT and ${placeVariables.secret} for all of them.`,
      },
    )
  }
  const user = process.getuid?.() ?? 'user'
  return { file: join(tmpdir(), `sonotext-${user}-${name.toLowerCase().replaceAll(' ', '')}-${id}`) }
}

function whole(env: Environment, name: string, least: number): number {
  const value = Number(env[name])
  if (!(env[name]?.trim() !== '' && Number.isSafeInteger(value) && value >= least))
    throw expected(`a whole number of at least ${least}`, name, env[name])
  return value
}
