import { describe, expect, it } from 'vitest'
import { openComm, placeFromEnvironment } from './place.js'

describe('placeFromEnvironment', () => {
  it('is null without a launcher, for one process, and in a batch script of Slurm', () => {
    for (const env of [
      {},
      { OMPI_COMM_WORLD_RANK: '0', OMPI_COMM_WORLD_SIZE: '1' },
      { SLURM_PROCID: '0', SLURM_NTASKS: '4' },
      { RANK: '2', WORLD_SIZE: '4' },
    ])
      expect(placeFromEnvironment(env)).toBeNull()
  })

  it('reads Open MPI on one machine, where ranks meet by a file of the job', () => {
    const env = {
      ...{ OMPI_COMM_WORLD_RANK: '3', OMPI_COMM_WORLD_SIZE: '4', OMPI_COMM_WORLD_LOCAL_RANK: '3' },
      ...{ OMPI_COMM_WORLD_LOCAL_SIZE: '4', PMIX_NAMESPACE: '77' },
    }
    expect(placeFromEnvironment(env)).toMatchObject({ rank: 3, size: 4, localRank: 3, launcher: 'Open MPI' })
    expect(placeFromEnvironment(env)!.meeting).toEqual({
      file: expect.stringMatching(/openmpi-77$/) as string,
    })
    expect(() => placeFromEnvironment({ ...env, OMPI_COMM_WORLD_LOCAL_SIZE: '2' })).toThrow(
      /several machines.*MASTER_ADDR/,
    )
  })

  it('meets where MASTER_ADDR says, with a secret', () => {
    const env = { RANK: '1', WORLD_SIZE: '2', MASTER_ADDR: 'first', MASTER_PORT: '29500' }
    expect(() => placeFromEnvironment(env)).toThrow(/SONOTEXT_SECRET.*openssl/)
    const secret = '0123456789abcdef'
    expect(placeFromEnvironment({ ...env, SONOTEXT_SECRET: secret })).toEqual({
      ...{ rank: 1, size: 2, localRank: null, launcher: 'torchrun' },
      meeting: { host: 'first', port: 29500, secret },
    })
    expect(() => placeFromEnvironment({ ...env, SONOTEXT_SECRET: secret, MASTER_PORT: 'x' })).toThrow(
      /MASTER_PORT/,
    )
  })

  it('reads srun and MPICH', () => {
    const master = { MASTER_ADDR: 'first', MASTER_PORT: '29500', SONOTEXT_SECRET: '0123456789abcdef' }
    const slurm = { SLURM_PROCID: '5', SLURM_NTASKS: '8', SLURM_STEP_ID: '0', SLURM_LOCALID: '1', ...master }
    expect(placeFromEnvironment(slurm)).toMatchObject({ rank: 5, size: 8, localRank: 1, launcher: 'Slurm' })
    expect(() => placeFromEnvironment({ PMI_RANK: '0', PMI_SIZE: '2' })).toThrow(
      /MPICH does not say which job/,
    )
  })

  it('refuses numbers that are none', () => {
    expect(() => placeFromEnvironment({ SONOTEXT_RANK: 'one', SONOTEXT_RANKS: '2' })).toThrow(/SONOTEXT_RANK/)
    expect(() => placeFromEnvironment({ SONOTEXT_RANK: '2', SONOTEXT_RANKS: '2' })).toThrow(/below 2/)
  })
})

it('a run of one process needs nobody', async () => {
  const comm = await openComm({ env: {} })
  expect([comm.rank, comm.size]).toEqual([0, 1])
  const values = Float32Array.of(1, 2)
  comm.allReduce(values, 'sum')
  expect([...values]).toEqual([1, 2])
  expect(comm.allGather(Uint8Array.of(3), 'parts')).toEqual([Uint8Array.of(3)])
  await comm.close()
})
