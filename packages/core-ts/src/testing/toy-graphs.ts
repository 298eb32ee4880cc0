// A toy run on two emulated GPUs, on one of them with CUDA graphs. It sends what the steps of both reported, how their kernels and results went,
// and the weights they ended with.
import process from 'node:process'
import type { Backend } from '../backend/port.js'
import { load, nativeBackend } from '../backend/native.js'
import { createTrainer } from '../train/index.js'
import { toyRun } from './toy-run.js'

/** A step of {@link ToyGraphsRun}. */
export interface ToyGraphsStep {
  readonly pairs: number
  readonly loss: number | null
  /** Kernels, by how they went to the device. */
  readonly alone: number
  readonly byGraph: number
  readonly downloads: number
}

/** What training on a device came to. */
export interface ToyGraphsRun {
  readonly steps: readonly ToyGraphsStep[]
  /** Of all weights, as base64 of float32. */
  readonly weights: string
}

async function trained(name: string, graphs: boolean): Promise<ToyGraphsRun> {
  process.env['SONOTEXT_CUDA_GRAPHS'] = graphs ? '1' : '0'
  using device = nativeBackend({ device: name })
  const addon = load()
  const handle = addon.openDevice(name)
  let downloads = 0
  const memory = {
    ...device.memory,
    download: (buffer: never) => {
      downloads++
      return device.memory.download(buffer)
    },
  }
  const backend = Object.create(device, { memory: { value: memory } }) as Backend
  const options = toyRun(backend, { epochs: 2 })
  const steps: ToyGraphsStep[] = []
  await using trainer = createTrainer(options)
  let before = addon.launches(handle)
  for await (const report of trainer.steps()) {
    if (report.kind === 'step') {
      const now = addon.launches(handle)
      const [alone, byGraph] = [now.alone - before.alone, now.byGraph - before.byGraph]
      steps.push({ pairs: report.pairs, loss: report.loss, alone, byGraph, downloads })
      before = now
    }
    downloads = 0
  }
  const weights = [...options.model.parameters().values()].map((weight) => {
    const { buffer, byteOffset, byteLength } = weight.toArray()
    return Buffer.from(buffer, byteOffset, byteLength)
  })
  return { steps, weights: Buffer.concat(weights).toString('base64') }
}

process.send!([await trained('cuda:0', false), await trained('cuda:1', true)])
