// Hard negatives for embeddings of somebody else's models: for every caption the clips that it is most easily taken for, written as
// a table for the next epoch of a training in any framework. Captions that say the same are no negatives of each other.
import { writeFile } from 'node:fs/promises'
import { createIndex, matrix, negativeQuery, openBackend, Rng, strategies, tokenize } from '@sonotext/core'
import { equalCaptions } from '@sonotext/core/negatives'
import { matmul, Tape } from '@sonotext/core/nn'
import { toMatrix } from '@sonotext/core/similarity'

// What a model gave for 300 clips and their captions. `readSafetensors` and `readNpy` read such vectors from files.
const sounds = ['dog', 'rain', 'clock', 'engine', 'bird', 'bell']
const items = Array.from({ length: 300 }, (_, i) => {
  const text = `a ${sounds[i % 6]} and a ${sounds[Math.floor(i / 6) % 6]}`
  return { clip: { id: `clip-${i}` }, caption: { id: `clip-${i}#1`, text }, group: i }
})
const embeddings = (side) =>
  matrix(items.length, 32).data.map((_, e) => {
    const [i, d] = [Math.floor(e / 32), e % 32]
    const heard = tokenize(items[i].caption.text).map((word) => new Rng(0, `${word} ${d}`).normal())
    return heard.reduce((sum, x) => sum + x, new Rng(1, `${side} ${e}`).normal())
  })
const clips = matrix(300, 32, embeddings('clips'))
const captions = matrix(300, 32, embeddings('captions'))

// The whole collection at once: an exact index of the clips, and of what it finds the first that are not barred.
const backend = openBackend()
const index = createIndex({ dim: 32, backend }).add(clips, [...items.keys()].map(String))
const { barred } = negativeQuery(items, { guards: [equalCaptions()] })
const found = await index.search(captions, { k: 40 })
const hardest = found.map((hits, j) =>
  hits
    .map(({ id }) => Number(id))
    .filter((i) => !barred.has(i, j))
    .slice(0, 3),
)
const lines = hardest.map((some, j) => [items[j].caption.id, ...some.map((i) => items[i].clip.id)].join())
await writeFile('negatives.csv', ['caption,first,second,third', ...lines, ''].join('\n'))
console.log(items[0].caption.text, '–', hardest[0].map((i) => items[i].caption.text).join(' · '))

// Or batch by batch with any strategy: one clip of the batch for each caption, given the scores.
const n = 24
using tape = new Tape(backend)
const [a, b] = [clips, captions].map(({ data }) => tape.constant([n, 32], data.subarray(0, n * 32)))
const scores = toMatrix(matmul(tape, a, b, { transB: true }))
const query = negativeQuery(items.slice(0, n), {
  planes: { 'audio-text': scores },
  guards: [equalCaptions()],
})
for (const name of ['hard', 'semi-hard', 'random']) {
  const { audio } = strategies.build(name).select(query, new Rng(7))
  console.log(name, items[audio.index[audio.offsets[0]]].caption.text)
}
