// A plugin: one file that adds a strategy, a guard, a loss, an encoder, a kind of features and a measure. Run by itself it trains with all of
// them, goes on with the run, and loads the model again; `plugins: [./plugin.mjs]` in any configuration, or `--plugin`, does the same.
import { collect, l2Normalize, Linear } from '@sonotext/core/nn'
import { matrix } from '@sonotext/core/base'
import { meanMeasure } from '@sonotext/core/metrics'
import { fromPicks } from '@sonotext/core/negatives'
import { infoNceLoss } from '@sonotext/core/losses'

export default function plugin({ register }) {
  register('strategy', {
    name: 'next',
    description: 'The next pair of the batch that is not barred.',
    schema: {
      properties: { by: { type: 'integer', minimum: 1, default: 1, description: 'How far on to begin.' } },
    },
    fromConfig: ({ by }) => ({
      name: 'next',
      needs: [],
      config: { by },
      select({ items, barred }) {
        const n = items.length
        const after = (i, free) => {
          for (let step = by; step < by + n; step++) if (free((i + step) % n)) return (i + step) % n
          return -1
        }
        return fromPicks(
          Int32Array.from({ length: n }, (_, i) => after(i, (j) => !barred.has(j, i))),
          Int32Array.from({ length: n }, (_, i) => after(i, (j) => !barred.has(i, j))),
        )
      },
    }),
  })

  register('guard', {
    name: 'same-start',
    description: 'Captions that begin with the same words.',
    schema: { properties: { words: { type: 'integer', minimum: 1, default: 4, description: 'How many.' } } },
    fromConfig: ({ words }) => ({
      name: 'same-start',
      config: { words },
      *pairs({ items }) {
        const start = ({ caption }) => caption.text.toLowerCase().split(' ').slice(0, words).join(' ')
        for (const [i, a] of items.entries())
          for (const [j, b] of items.entries()) if (start(a) === start(b)) yield [i, j]
      },
    }),
  })

  register('loss', {
    name: 'cooled',
    description: 'InfoNCE whose temperature falls from one epoch to the next.',
    schema: {
      properties: {
        from: { type: 'number', exclusiveMinimum: 0, default: 0.2, description: 'Temperature at the start.' },
        share: {
          type: 'number',
          exclusiveMinimum: 0,
          maximum: 1,
          default: 0.9,
          description: 'What is left of it after an epoch.',
        },
      },
    },
    fromConfig: ({ from, share }) => ({
      name: 'cooled',
      config: { from, share },
      valueOfEqualScores: (n) => 2 * Math.log(n),
      build: (backend) => ({
        parameters: () => new Map(),
        buffers: () => new Map(),
        compute: (input, rng) =>
          infoNceLoss({ temperature: from * share ** Math.floor(input.epoch) })
            .build(backend)
            .compute(input, rng),
      }),
    }),
  })

  const meanLinear = ({ inputs, dim }) => ({
    config: { kind: 'mean-linear', inputs, dim },
    dim,
    build(backend, rng) {
      const linear = new Linear(backend, inputs, dim, { rng: rng.fork('linear') })
      return {
        bands: inputs,
        leastFrames: 1,
        dim,
        forward: (tape, features, lengths) => ({
          values: l2Normalize(tape, linear.forward(tape, features)),
          lengths,
        }),
        parameters: () => collect('parameters', { linear }),
        buffers: () => collect('buffers', { linear }),
      }
    },
  })
  register('audio-encoder', {
    name: 'mean-linear',
    description: 'A linear layer over every frame.',
    schema: { properties: {} },
    fromConfig: (_, { bands, dim }) => meanLinear({ inputs: bands, dim }),
    fromSaved: meanLinear,
  })

  register('features', {
    name: 'loudness',
    description: 'Level and slope of every 20 ms.',
    schema: {
      properties: { floor: { type: 'number', default: -80, description: 'dB that silence counts as.' } },
    },
    fromConfig: ({ floor }) => ({
      name: 'loudness',
      config: { floor },
      id: `loudness${floor}`,
      cols: 2,
      compute: ({ sampleRate, blocks }) => ({
        frameStep: 0.02,
        blocks: loudness(blocks, sampleRate / 50, floor),
      }),
    }),
  })

  register('measure', {
    name: 'top',
    description: 'Whether a relevant item comes first.',
    schema: { properties: {} },
    fromConfig: () =>
      meanMeasure(
        'top',
        ({ ranks }) => (ranks[0] === 1 ? 1 : 0),
        ({ relevant }, { items }) => relevant / items,
      ),
  })
}

/** One frame of two numbers for every `step` samples, whatever blocks they come in. */
async function* loudness(blocks, step, floor) {
  let [done, edge, energy, count, last] = [0, step, 0, 0, floor]
  for await (const block of blocks) {
    const frames = []
    for (const sample of block) {
      energy += sample * sample
      count++
      if (++done < edge) continue
      const level = Math.max(floor, 10 * Math.log10(energy / count + 1e-12))
      frames.push(level / 20, (level - last) / 20)
      ;[edge, energy, count, last] = [edge + step, 0, 0, level]
    }
    if (frames.length > 0) yield matrix(frames.length / 2, 2, Float32Array.from(frames))
  }
}

/** Trains with all of them on the scenes that quickstart.mjs made, goes on with the run, and loads the model again. */
async function main() {
  const { evaluateRun, loadModel, loadPlugins, openBackend, openRun, parseConfig, trainRun } =
    await import('@sonotext/core')
  const plugins = [import.meta.filename]
  const backend = openBackend()
  await loadPlugins(plugins)
  const configOf = (epochs) =>
    parseConfig({
      plugins,
      data: { manifest: 'scenes/manifest.jsonl' },
      features: 'loudness',
      model: { audio: 'mean-linear', text: { dim: 16, trainable: true }, similarity: 'pooled' },
      loss: { type: 'cooled', share: 0.8 },
      guards: [{ type: 'same-start', words: 3 }],
      optimizer: { lr: 0.01 },
      training: { epochs, batchSize: 16 },
      validation: { yardsticks: [{ negatives: { type: 'next', by: 2 } }] },
    })
  await trainRun(configOf(2), { folder: 'plugin-run', backend })
  const { steps } = await trainRun(configOf(8), { folder: 'plugin-run', backend, resume: true })
  const model = await loadModel('plugin-run', { plugins, backend })
  const run = await openRun('plugin-run', { plugins, backend })
  const { textToAudio } = await evaluateRun(run, { split: 'test', measures: ['top', 'R@1'] })
  console.log(`${steps} steps with ${model.config.audio.kind} over ${model.config.features.type}`)
  console.log('top', textToAudio.top, 'R@1', textToAudio['R@1'])
}

// Not awaited: the plugin is this file, and cannot be loaded before it has been read to its end.
if (import.meta.filename === process.argv[1]) void main()
