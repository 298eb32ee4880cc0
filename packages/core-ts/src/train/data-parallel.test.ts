import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missing } from '../../../../tools/program.mjs'
import { emulatedGpus } from '../testing/emulated-gpus.js'
import type { ToyRanksResult, ToyRanksSetting } from '../testing/toy-ranks.js'

// Ranks are processes, and these run what is built.
const program = fileURLToPath(new URL('../../dist/testing/toy-ranks.js', import.meta.url))
const built = existsSync(program)

let folder: string
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sonotext-ranks-'))))
afterAll(() => rm(folder, { recursive: true }))

type Failed = { readonly code: string; readonly message: string }
interface Started {
  readonly child: ChildProcess
  readonly outcome: Promise<ToyRanksResult | Failed | null>
}

let runs = 0
function start(
  setting: ToyRanksSetting,
  ranks: number,
  more: Readonly<Record<string, string>> = {},
): Started[] {
  const meeting = join(folder, `meeting-${runs++}`)
  return Array.from({ length: ranks }, (_, rank) => {
    const place = { SONOTEXT_RANK: String(rank), SONOTEXT_RANKS: String(ranks), SONOTEXT_MEETING: meeting }
    const child = spawn(process.execPath, [program, JSON.stringify(setting)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ...more, ...place },
    })
    let last: ToyRanksResult | Failed | null = null
    child.on('message', (message) => {
      if (typeof message !== 'string') last = message as ToyRanksResult
    })
    return { child, outcome: new Promise((resolve) => child.once('exit', () => resolve(last))) }
  })
}

async function trained(
  setting: ToyRanksSetting,
  ranks: number,
  env?: Readonly<Record<string, string>>,
): Promise<ToyRanksResult[]> {
  const all = await Promise.all(start(setting, ranks, env).map(({ outcome }) => outcome))
  for (const result of all) if (result === null || 'code' in result) throw new Error(JSON.stringify(result))
  return all as ToyRanksResult[]
}

/**
 * How far two runs are apart: the distance of their weights as a share of the way that training went (Euclidean, over all weights), and the
 * largest difference of a loss and of a gradient norm, as a share of it.
 */
function apart(a: ToyRanksResult, b: ToyRanksResult, untrained: ToyRanksResult) {
  const numbers = ({ weights }: ToyRanksResult): Float32Array =>
    new Float32Array(
      Uint8Array.from(Buffer.concat(Object.values(weights).map((text) => Buffer.from(text, 'base64'))))
        .buffer,
    )
  const distance = (x: Float32Array, y: Float32Array): number => {
    expect(x.length).toBe(y.length)
    return Math.sqrt(x.reduce((sum, value, i) => sum + (value - y[i]!) ** 2, 0))
  }
  const most = (x: readonly number[], y: readonly number[]): number => {
    expect(x.length).toBe(y.length)
    return Math.max(...x.map((value, i) => Math.abs(value - y[i]!) / Math.abs(y[i]!)))
  }
  const [x, y, start] = [numbers(a), numbers(b), numbers(untrained)] as const
  return {
    weights: distance(x, y) / distance(y, start),
    losses: most(a.losses, b.losses),
    gradNorms: most(a.gradNorms, b.gradNorms),
  }
}

/** Trains with one process and with several, which must come to the same. Returns what rank 0 of the last reported. */
async function expectOneBigBatch(
  setting: ToyRanksSetting,
  numbers: readonly number[],
  env?: Readonly<Record<string, string>>,
): Promise<ToyRanksResult> {
  const [untrained] = await trained({ ...setting, epochs: 0 }, 1, env)
  const [one] = await trained(setting, 1, env)
  // Over a link the means of a batch norm are rounded once or twice more, and one unit in their last place moves the fourth loss of the first setting
  // by 1e-4, or not at all.
  const rounding = setting.linked && setting.network === 'crnn' ? 3e-4 : 1e-5
  let last: ToyRanksResult
  for (const ranks of numbers) {
    const all = await trained(setting, ranks, env)
    last = all[0]!
    // Every rank has the very bits of the first.
    for (const result of all) expect({ ...result, rank: 0 }).toEqual(last)
    const found = apart(last, one!, untrained!)
    expect(found.losses).toBeLessThan(rounding)
    expect(found.weights).toBeLessThan(rounding)
    // The fourth power of its pooling makes gradients of the CRNN the least well-conditioned numbers here; in the others it is 1e-6.
    expect(found.gradNorms).toBeLessThan(1e-3)
    for (const [i, epoch] of one!.validation.entries())
      for (const [measure, value] of Object.entries(epoch))
        expect(last.validation[i]![measure]).toBeCloseTo(value, 3)
  }
  return last!
}

const infoNce = { type: 'info-nce', temperature: 0.1, learnable: true }
// Adam with a large eps: without it, a weight whose gradient is nothing but rounding goes its full step one way or the other.
const eps = 1
const settings: [string, ToyRanksSetting][] = [
  [
    'a CRNN with batch norm and dropout, InfoNCE',
    { network: 'crnn', loss: infoNce, eps, epochs: 2, validated: true },
  ],
  [
    'a CRNN, triplet loss with hard negatives, clipped gradients, a guard',
    { network: 'crnn', loss: { type: 'triplet', negatives: { type: 'hard' } }, eps, clip: 1, guarded: true },
  ],
  [
    'frame × word scores, sigmoid loss, batches that do not divide and one of a single pair',
    { similarity: { type: 'frame-word' }, loss: { type: 'sigmoid' }, eps, batchSize: 29 },
  ],
  [
    'negatives of earlier batches, batches of five',
    { loss: { type: 'triplet', negatives: { type: 'queue', pairs: 16 } }, eps, batchSize: 5 },
  ],
  [
    'captions made untrue',
    { loss: { type: 'triplet', negatives: { type: 'caption-rules' } }, eps, batchSize: 6 },
  ],
]

describe.skipIf(!built)(
  `k ranks are one big batch${built ? '' : ' (the TypeScript is not built: npm run setup)'}`,
  () => {
    it.each(settings)('%s', async (_name, setting) => {
      await expectOneBigBatch(setting, [2, 4])
    })

    it.each(settings)('tensors over a link of their own: %s', async (_name, setting) => {
      await expectOneBigBatch({ ...setting, linked: true }, [2, 3])
    })

    it('two emulated GPUs with a stand-in for NCCL train what one does', async (context) => {
      const gpus = emulatedGpus(2)
      if (gpus === null) return context.skip(missing('cmake') ?? 'emulated GPUs are built with CMake only')
      const setting: ToyRanksSetting = {
        loss: infoNce,
        eps,
        epochs: 1,
        batchSize: 11,
        devices: ['cuda:0', 'cuda:1'],
      }
      const { onDevices } = await expectOneBigBatch(setting, [2], gpus)
      expect(onDevices).toBe(true)
    })

    it('the same run with as many ranks has the same bits again', async () => {
      const setting: ToyRanksSetting = { network: 'crnn', loss: infoNce, epochs: 1 }
      const [a, b] = [await trained(setting, 3), await trained(setting, 3)]
      expect(b).toEqual(a)
    })

    it('a rank is killed in mid step: the others say so, and the run goes on from its checkpoint with another number of ranks', async () => {
      const loss = { type: 'triplet', negatives: { type: 'queue', pairs: 16 } }
      const setting: ToyRanksSetting = { loss, eps, directory: join(folder, 'killed') }
      const ranks = start({ ...setting, hangAt: 6 }, 3)
      await new Promise((resolve) =>
        ranks[1]!.child.on('message', (said) => said === 'there' && resolve(said)),
      )
      ranks[1]!.child.kill('SIGKILL')
      const [zero, one, two] = await Promise.all(ranks.map(({ outcome }) => outcome))
      expect(one).toBeNull()
      for (const other of [zero, two]) {
        const message = expect.stringContaining('rank 1 of 3 was lost') as string
        expect(other).toMatchObject({ code: 'RANK_LOST', message })
      }
      const rest = await trained({ ...setting, resume: true }, 2)
      const whole = await trained({ ...setting, directory: join(folder, 'whole') }, 2)
      const [untrained] = await trained({ ...setting, directory: join(folder, 'none'), epochs: 0 }, 1)
      const done = whole[0]!.losses.length - rest[0]!.losses.length
      expect(done).toBeGreaterThanOrEqual(5)
      const tail = {
        ...whole[0]!,
        losses: whole[0]!.losses.slice(done),
        gradNorms: whole[0]!.gradNorms.slice(done),
      }
      const found = apart(rest[0]!, tail, untrained!)
      expect(found.weights).toBeLessThan(1e-5)
      expect(found.losses).toBeLessThan(1e-5)
    })
  },
)
