// Two pretrained models side by side: both stay as they are, and one head is trained behind the vectors of both. The files here are stand-ins
// that this program writes (a random layer over spectrogram frames), so that it runs anywhere; models of your own go in their place. Needs the
// folder `scenes` that quickstart.mjs leaves behind, and onnxruntime-web.
import { writeFile } from 'node:fs/promises'
import { evaluateRun, openBackend, openRun, parseConfig, Rng, trainRun } from '@sonotext/core'
import { exportOnnx } from '@sonotext/core/models'
import { OnnxGraph, openOnnx } from '@sonotext/core/onnx'

/** A model [n, 96, 64] → [n, dim]. */
function standIn(dim) {
  const graph = new OnnxGraph('stand-in')
  const patch = graph.input({ name: 'patch', type: 'float32', shape: ['n', 96, 64] })
  const rng = new Rng(dim, 'stand-in')
  const drawn = Float32Array.from({ length: 64 * dim }, () => rng.normal() / 8)
  const layer = graph.node('Relu', [graph.node('MatMul', [patch, graph.weight('layer', [64, dim], drawn)])])
  graph.node('ReduceMean', [layer], { attributes: { axes: [1], keepdims: 0 }, outputs: ['embedding'] })
  graph.output({ name: 'embedding', type: 'float32', shape: ['n', dim] })
  return graph.encode()
}
await writeFile('small.onnx', standIn(16))
await writeFile('large.onnx', standIn(48))

const tower = (model, pool) => ({ type: 'onnx', model, frontEnd: { preset: 'yamnet' }, pool })
const [small, large] = [tower('small.onnx', ['mean', 'max']), tower('large.onnx', ['mean', 'std'])]
const both = { type: 'concatenated', kinds: [small, large] }
const backend = openBackend()
let run
for (const [name, features] of Object.entries({ small, large, both })) {
  const config = parseConfig({
    data: { manifest: 'scenes/manifest.jsonl' },
    features,
    model: {
      audio: { type: 'projection', standardize: true },
      text: { type: 'mean-words', dim: 64, trainable: true },
      similarity: 'pooled',
    },
    loss: { type: 'info-nce' },
    optimizer: { lr: 0.005 },
    schedule: 'cosine',
    training: { epochs: 10, batchSize: 16 },
  })
  await trainRun(config, { folder: `tower-${name}`, backend })
  run = await openRun(`tower-${name}`, { backend })
  const { textToAudio, chance } = await evaluateRun(run, { split: 'test', measures: ['mAP@10'] })
  const [score, drawn] = [textToAudio['mAP@10'], chance.textToAudio['mAP@10']].map((x) => x.toFixed(3))
  console.log(`${name}: ${run.model.config.audio.inputs} numbers a clip, mAP@10 ${score}, by chance ${drawn}`)
}

// The head leaves as ONNX and gives the same there.
await writeFile('head.onnx', exportOnnx(run.model).audio)
const head = await openOnnx('head.onnx')
await using corpus = await run.corpus()
const { features } = await corpus.features({ id: 'test-01', audio: 'scenes/audio/test-01.wav' })
const outputs = await head.run({ features: { shape: [1, 1, features.cols], data: features.data } })
const here = await run.model.audio.embed([features])
const apart = outputs.get('audio_embeds').data.map((x, i) => Math.abs(x - here.data[i]))
console.log(`in onnxruntime within ${Math.max(...apart) < 1e-5 ? 1e-5 : Math.max(...apart)}`)
