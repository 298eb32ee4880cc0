// Which negatives each strategy picks for "a dog barks" in one batch of six pairs. Two of them are of one recording: they are
// never each other's negatives.
import { matrix, negativeQuery, Rng, row, strategies, tokenize } from '@sonotext/core'

const captions = [
  'a dog barks',
  'a dog barks twice',
  'rain on a roof',
  'a dog in the rain',
  'a clock',
  'a bell',
]
const groups = [0, 0, 1, 2, 3, 4]
const items = captions.map((text, i) => ({
  clip: { id: `clip-${i}` },
  caption: { id: `clip-${i}#1`, text },
  group: groups[i],
}))
const n = captions.length

// Similarities as a model would give them: shared words for captions, the same with some noise for clips.
const bags = captions.map((caption) => new Set(tokenize(caption)))
const rng = new Rng(2)
const plane = (noise) =>
  matrix(
    n,
    n,
    Float32Array.from({ length: n * n }, (_, e) => {
      const [a, b] = [bags[Math.floor(e / n)], bags[e % n]]
      return a.intersection(b).size / Math.sqrt(a.size * b.size) + noise * rng.normal()
    }),
  )
const planes = { 'text-text': plane(0), 'audio-audio': plane(0.1), 'audio-text': plane(0.5) }

const ofFirst = row(planes['audio-text'], 0)
console.log(`the pair itself scores ${ofFirst[0].toFixed(2)}`)
for (const name of strategies.names) {
  const strategy = strategies.build(name)
  const { text } = strategy.select(negativeQuery(items, { planes }), new Rng(7))
  const picked = [...text.index.subarray(0, text.offsets[1])].map(
    (j) => `${captions[j]} (${ofFirst[j].toFixed(2)})`,
  )
  console.log(name.padEnd(17), `reads ${strategy.needs.join() || 'nothing'}`.padEnd(18), picked.join(' · '))
}
