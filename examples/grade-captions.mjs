// Grading captions: ratings of a few pairs by listeners, a curve from similarity of captions to relevance fitted on them, and with it
// a grade for pairs that nobody has rated.
import { writeFile } from 'node:fs/promises'
import { openBackend } from '@sonotext/core'
import * as relevance from '@sonotext/core/relevance'

// Two captions a clip, and what two listeners said of how well a clip fits a caption, from 0 to 100.
const clips = {
  dog: ['a dog barks', 'a dog is barking at somebody'],
  yard: ['a dog barks while rain falls', 'rain falls and a dog barks'],
  rain: ['rain falls on a roof', 'heavy rain on a tin roof'],
  bell: ['a church bell rings', 'bells ring far away'],
}
const rated = [
  ...[
    ['dog#1', 'dog', 100, 90],
    ['dog#1', 'yard', 80, 70],
    ['dog#1', 'rain', 5, 0],
    ['dog#1', 'bell', 0, 0],
  ],
  ...[
    ['rain#1', 'rain', 95, 100],
    ['rain#1', 'yard', 60, 50],
    ['rain#1', 'dog', 0, 10],
    ['rain#1', 'bell', 0, 5],
  ],
  ...[
    ['bell#1', 'bell', 100, 95],
    ['bell#1', 'dog', 0, 0],
    ['bell#1', 'rain', 10, 0],
    ['bell#1', 'yard', 0, 5],
  ],
]
const lines = rated.flatMap(([query, clip, ...of]) =>
  of.map((value, rater) => [query, clip, `r${rater}`, value].join()),
)
await writeFile('ratings.csv', ['query,item,rater,rating', ...lines, ''].join('\n'))
const relevances = relevance.aggregateRatings(await relevance.readRatings('ratings.csv'))
console.log(`${relevances.pairs.length} pairs; a dog for "a dog barks": ${relevances.of('dog#1', 'dog')}`)

const captions = relevance.captionedClips(
  Object.entries(clips).flatMap(([clip, texts]) =>
    texts.map((text, i) => ({ id: `${clip}#${i + 1}`, clip, text })),
  ),
)
const features = await relevance.namedFeatures(['stems:8'], { texts: Object.values(clips).flat(), seed: 17 })
const { model, quality } = await relevance.fitRelevance(
  relevance.ratedPairs(relevances, captions),
  features,
  { folds: 0 },
)
console.log(`fitted on ${quality.pairs} pairs, Pearson ${quality.pearson.toFixed(2)}`)

// Nobody has rated these.
const graded = await relevance.applyRelevance(model, captions, { backend: openBackend(), top: 2 })
for (const { query, item, relevance: grade } of graded.pairs)
  if (query.endsWith('#2')) console.log(query, item, grade.toFixed(2))
await relevance.writeRelevances('relevance.csv', graded)
