import { evaluateRun, openBackend, openRun, parseConfig, searchRun, trainRun } from '@sonotext/core'
import { composeScenes, proceduralBank } from '@sonotext/scenes'

// Scenes of 2 s, mixed from synthesised sounds, with five captions each; no sound is in both splits.
const bank = proceduralBank()
const scenes = { train: 200, test: 40 }
const { manifest } = await composeScenes({ bank, scenes, duration: 2, groups: [1, 1], seed: 1 }, 'scenes')

// A CRNN over log-mel frames and trained word vectors meet in one space. Stopped at any step, it resumes bit for bit.
const config = parseConfig({
  data: { manifest },
  model: { text: { type: 'mean-words', dim: 64, trainable: true }, similarity: 'pooled' },
  loss: { type: 'info-nce' },
  schedule: 'cosine',
  training: { epochs: 8, batchSize: 16 },
})
const backend = openBackend()
const onReport = ({ kind, epoch, trainLoss }) => kind === 'epoch' && console.log('epoch', epoch, trainLoss)
await trainRun(config, { folder: 'run', backend, onReport, resume: true })

const run = await openRun('run', { backend })
const { textToAudio, chance } = await evaluateRun(run, { split: 'test', measures: ['R@1', 'mAP@10'] })
console.log(textToAudio, 'by chance', chance.textToAudio)
const [hits] = await searchRun(run, ['rain falls'], { split: 'test', k: 3 })
for (const { rank, score, clip } of hits) console.log(rank, score.toFixed(3), clip.captions[0].text)
