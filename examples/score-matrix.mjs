// Scores of any model, clips × captions, measured both ways with exact chance and intervals beside them.
import { evaluateScores, matrix, Rng } from '@sonotext/core'

const [clips, perClip] = [50, 5]
const captionClip = Int32Array.from({ length: clips * perClip }, (_, j) => Math.floor(j / perClip))

// A model that likes the right pairs by one standard deviation.
const rng = new Rng(3)
const scores = matrix(clips, captionClip.length)
for (let i = 0; i < clips; i++) {
  for (const [j, clip] of captionClip.entries()) {
    scores.data[i * scores.cols + j] = rng.normal() + (clip === i ? 1 : 0)
  }
}

const { textToAudio, audioToText, chance, intervals } = evaluateScores(scores, captionClip, {
  measures: ['R@1', 'R@10', 'mAP@10', 'MRR', 'medR', 'nDCG@10'],
})
for (const [name, value] of Object.entries(textToAudio)) {
  const [low, high] = intervals.textToAudio[name]
  console.log(
    name.padEnd(8),
    `text → audio ${value.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)}), chance ${chance.textToAudio[name].toFixed(3)};`,
    `audio → text ${audioToText[name].toFixed(3)}, chance ${chance.audioToText[name].toFixed(3)}`,
  )
}
