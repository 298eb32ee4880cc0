import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { logMel } from '@sonotext/core/audio'
import type { Backend } from '@sonotext/core/backend'
import { type Matrix, matrix, Rng } from '@sonotext/core/base'
import { Conv2d, lpPool, Tape } from '@sonotext/core/nn'

/** A frozen audio model: a vector for every patch of a second or so. */
export interface Tower {
  readonly name: string
  readonly sampleRate: number
  /** What its numbers depend on, short enough for a file name. */
  readonly id: string
  /** Mono sound at its rate → [patches × d]. */
  embed(samples: Float32Array): Promise<Matrix>
}

const [bands, patch, hop] = [64, 96, 48]

/** Log-mel patches as YAMNet hears them: 0.96 s, one every 0.48 s, at 16 kHz. */
function patches(backend: Backend): (samples: Float32Array) => Promise<Matrix[]> {
  const frames = logMel(
    'thesis',
    {
      ...{ sampleRate: 16_000, windowLength: 400, hop: 160, nFft: 512, centre: false, power: 1 as const },
      ...{ fMin: 125, fMax: 7500, melScale: 'htk', melNorm: 'none', log: 'ln-add', offset: 1e-3 },
    },
    { backend },
  )
  return async (samples) => {
    const { rows, data } = await frames.compute(samples)
    const starts = Array.from({ length: Math.floor((rows - patch) / hop) + 1 }, (_, i) => i * hop)
    return starts.map((at) => matrix(patch, bands, data.subarray(at * bands, (at + patch) * bands)))
  }
}

/** An ONNX model of patches [n, 96, 64], such as YAMNet cut before its classifier. */
export async function onnxTower(file: string, backend: Backend): Promise<Tower> {
  const ort = await import('onnxruntime-web')
  ort.env.wasm.numThreads = 1
  const bytes = readFileSync(file)
  const session = await ort.InferenceSession.create(bytes)
  const cut = patches(backend)
  return {
    name: file.split('/').at(-1)!,
    sampleRate: 16_000,
    id: createHash('sha256').update(bytes).digest('hex').slice(0, 12),
    async embed(samples) {
      const all = await cut(samples)
      const input = new Float32Array(all.length * patch * bands)
      all.forEach(({ data }, i) => input.set(data, i * patch * bands))
      const feed = new ort.Tensor('float32', input, [all.length, patch, bands])
      const output = await session.run({ [session.inputNames[0]!]: feed })
      const { dims, data } = output[session.outputNames[0]!]!
      return matrix(all.length, dims[1]!, Float32Array.from(data as Float32Array))
    },
  }
}

/**
 * Stands in for a pretrained tower: two layers of convolutions with fixed random weights, each with a ReLU and pooling, then the mean over
 * time. What it knows of sounds is what random filters tell apart.
 */
export function standInTower(backend: Backend): Tower {
  const rng = new Rng(1, 'stand-in tower')
  const first = new Conv2d(backend, 1, 16, { rng: rng.fork('first'), slope: 0 })
  const second = new Conv2d(backend, 16, 32, { rng: rng.fork('second'), slope: 0 })
  const cut = patches(backend)
  return {
    name: 'fixed random convolutions',
    sampleRate: 16_000,
    id: 'stand-in-1',
    async embed(samples) {
      const all = await cut(samples)
      const input = new Float32Array(all.length * patch * bands)
      all.forEach(({ data }, i) => input.set(data, i * patch * bands))
      using tape = new Tape(backend)
      const x = tape.constant([all.length, patch, bands, 1], input)
      const pooled = lpPool(tape, first.forward(tape, x), { kernel: [4, 4] })
      const deep = lpPool(tape, second.forward(tape, pooled), { kernel: [4, 4] })
      const [n, time, frequency, channels] = deep.shape as [number, number, number, number]
      const values = deep.toArray()
      const width = frequency * channels
      const out = matrix(n, width)
      for (let i = 0; i < n; i++)
        for (let t = 0; t < time; t++)
          for (let k = 0; k < width; k++)
            out.data[i * width + k]! += Math.log1p(values[(i * time + t) * width + k]!) / time
      return out
    },
  }
}
