// Search over a folder of recordings with a trained run, whatever lies in it and in the folders below. Files that cannot be read
// are named and passed over. Needs the folders `scenes` and `run` that quickstart.mjs leaves behind.
import { createIndex, openBackend, openRun } from '@sonotext/core'
import { readCollection } from '@sonotext/core/data'

const backend = openBackend()
const run = await openRun('run', { backend })
const { model } = run
const { clips } = await readCollection('scenes')
const index = createIndex({ dim: model.dim, model: model.id, backend })
const corpus = await run.corpus()
const onBad = ({ id }, error) => console.warn('passed over', id, error.message)
for await (const { clip, features } of corpus.read(clips, { onBad }))
  index.add(await model.audio.embed([features]), [clip.audio])
await corpus[Symbol.asyncDispose]()

const sentences = process.argv.slice(2).filter((word) => !word.startsWith('--'))
for (const sentence of sentences.length > 0 ? sentences : ['rain falls']) {
  const [hits] = await index.search(await model.text.embed([sentence]), { k: 3 })
  console.log(sentence, '–', hits.map(({ id, score }) => `${id} ${score.toFixed(2)}`).join(', '))
}
