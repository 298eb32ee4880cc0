// One rank of a toy run that is shared by processes: its place comes from the environment, its options as JSON. It sends what it reported and
// the weights it ended with, or how it failed.
import process from 'node:process'
import { openBackend, type OpenBackendOptions } from '../backend/open.js'
import { isSonotextError } from '../base/errors.js'
import { type Comm, ncclComm, openComm } from '../comm/index.js'
import { losses } from '../losses/index.js'
import { equalCaptions } from '../negatives/index.js'
import type { PartConfig } from '../registry/index.js'
import { similarities } from '../similarity/index.js'
import { adam, createTrainer } from '../train/index.js'
import { hostLink } from './host-link.js'
import { toyData, toyRun } from './toy-run.js'

/** What is trained. */
export interface ToyRanksSetting {
  loss: PartConfig
  network?: 'projection' | 'crnn'
  similarity?: PartConfig
  batchSize?: number
  epochs?: number
  /** Norm that gradients are scaled down to. */
  clip?: number
  /** Of Adam. Default 1e-8. */
  eps?: number
  isa?: 'scalar' | 'avx2' | 'avx512' | 'neon'
  /** By rank, with NCCL between them. Default: the CPU. */
  devices?: readonly NonNullable<OpenBackendOptions['device']>[]
  /** Tensors go over a link that is a detour over the host. */
  linked?: boolean
  /** Pairs of equal captions are no negatives. */
  guarded?: boolean
  /** Checkpoints after every step. */
  directory?: string
  resume?: boolean
  validated?: boolean
  /** Says when it has done so many steps, and waits to be killed before the next. */
  hangAt?: number
}

/** What a rank sends in the end. */
export interface ToyRanksResult {
  readonly rank: number
  /** Whether tensors went from device to device. */
  readonly onDevices: boolean
  /** Of every step. */
  readonly losses: readonly number[]
  readonly gradNorms: readonly number[]
  /** Of every epoch. */
  readonly validation: readonly Readonly<Record<string, number>>[]
  /** By name, as base64 of float32. */
  readonly weights: Readonly<Record<string, string>>
}

const setting = JSON.parse(process.argv[2]!) as ToyRanksSetting

async function train(): Promise<ToyRanksResult> {
  const joined = await openComm({ joinTimeout: 60_000 })
  let comm: Comm = joined
  try {
    const device = setting.devices?.[joined.rank]
    const backend = openBackend({
      threads: 1,
      ...(setting.isa && { isa: setting.isa }),
      ...(device && { device }),
    })
    comm = ncclComm(joined, backend)
    if (setting.linked) Object.assign(joined, { link: hostLink(joined, backend) })
    const { network = 'projection', batchSize = 8, epochs = 3, directory, clip = null, eps = 1e-8 } = setting
    const crnn = network === 'crnn'
    const data = (more: object) =>
      toyData(crnn ? 16 : 1, crnn ? 64 : 12, { takes: crnn ? 1 : 2, ...more }).batches({
        leastFrames: crnn ? 4 : 1,
        batchSize,
      })
    const options = toyRun(backend, {
      network,
      data: data({}),
      loss: losses.build(setting.loss),
      ...(setting.similarity && { similarity: similarities.build(setting.similarity) }),
      ...(setting.guarded && { guards: [equalCaptions()] }),
      ...(setting.validated && { validation: { data: data({ seed: 4 }) } }),
      ...(directory !== undefined && { directory, saveEvery: 1 }),
      optimizer: adam({ lr: 0.003, clip, eps }),
      epochs,
      comm,
    })
    await using trainer = createTrainer(options)
    if (setting.resume) await trainer.resume(directory!)
    const result = {
      losses: [] as number[],
      gradNorms: [] as number[],
      validation: [] as Record<string, number>[],
    }
    for await (const report of trainer.steps()) {
      if (report.kind === 'epoch') result.validation.push({ ...report.validation })
      else {
        result.losses.push(report.loss!)
        result.gradNorms.push(report.gradNorm)
        if (report.step === setting.hangAt) {
          process.send?.('there')
          await new Promise((resolve) => setTimeout(resolve, comm.rank === 1 ? 1e6 : 0))
        }
      }
    }
    const weights = [...options.model.state()].map(([name, { data }]) => {
      const { buffer, byteOffset, byteLength } = data
      return [name, Buffer.from(buffer, byteOffset, byteLength).toString('base64')] as const
    })
    const onDevices = comm.link !== undefined
    await comm.close()
    return { rank: comm.rank, onDevices, ...result, weights: Object.fromEntries(weights) }
  } catch (error) {
    await comm.close(error)
    throw error
  }
}

const said = await train().catch((error: unknown) => {
  const { message, stack } = error as Error
  return { code: isSonotextError(error) ? error.code : stack, message }
})
process.send!(said, () => process.disconnect())
