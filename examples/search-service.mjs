// What a service does with a trained model: embed recordings once, keep the index, answer sentences from it.
// Needs the folders `scenes` and `run` that quickstart.mjs leaves behind.
import { createIndex, loadIndex, openBackend, openRun, readManifest } from '@sonotext/core'

const backend = openBackend()
const run = await openRun('run', { backend })
const { model } = run
const corpus = await run.corpus()

const { clips } = await readManifest('scenes/manifest.jsonl')
const index = createIndex({ dim: model.dim, model: model.id, backend })
// Decoded, resampled and turned into frames as in training, a few clips ahead.
for await (const { clip, features } of corpus.read(clips)) {
  index.add(await model.audio.embed([features]), [clip.id])
}
await corpus[Symbol.asyncDispose]()
await index.save('clips.index')

// In another process: vectors of another model, or of other weights, would be refused.
const saved = await loadIndex('clips.index', { model: model.id, backend })
const queries = ['rain falls', 'somebody laughs']
const hits = await saved.search(await model.text.embed(queries), { k: 3 })
queries.forEach((query, i) =>
  console.log(
    query,
    hits[i].map(({ id, score }) => `${id} ${score.toFixed(2)}`),
  ),
)
