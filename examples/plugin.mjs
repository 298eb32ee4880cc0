// Trains with parts of one's own (the plugin in plugin/) on the scenes that quickstart.mjs made, goes on with the run, and loads the
// model again. In a configuration file and on the command line a plugin is named the same way.
import { join } from 'node:path'
import {
  evaluateRun,
  loadModel,
  loadPlugins,
  openBackend,
  openRun,
  parseConfig,
  trainRun,
} from '@sonotext/core'

const plugins = [join(import.meta.dirname, 'plugin', 'index.mjs')]
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
