// A training loop of one's own: steps, schedule, validation, watching for collapse and a checkpoint to go on from, without a
// trainer around them. The run is left after two epochs and taken up again, as a killed program would do it.
import {
  Batches,
  dualEncoder,
  infoNceLoss,
  matrix,
  openBackend,
  projection,
  Rng,
  tokenize,
  Vocabulary,
  words,
} from '@sonotext/core'
import {
  adamw,
  CollapseMonitor,
  cosine,
  Learner,
  readCheckpoint,
  Validator,
  writeCheckpoint,
} from '@sonotext/core/train'

// Clips of two sounds each, and vectors in which both can be heard.
const sounds = ['dog', 'rain', 'clock', 'engine', 'bird', 'bell']
const clipsOf = (take) =>
  sounds.flatMap((a, i) =>
    sounds.slice(i + 1).map((b) => {
      const id = `${a}-${b}-${take}`
      return { id, audio: `${id}.wav`, captions: [{ id: `${id}#1`, text: `a ${a} and a ${b}` }] }
    }),
  )
const features = async ({ id }) => {
  const [a, b] = id.split('-').map((sound) => new Rng(0, sound))
  const noise = new Rng(1, id)
  const heard = Float32Array.from({ length: 12 }, () => a.normal() + b.normal() + 0.3 * noise.normal())
  return { features: matrix(1, 12, heard), frameStep: 1, duration: 1 }
}
const vocabulary = Vocabulary.build(clipsOf(1).map(({ captions }) => tokenize(captions[0].text)))
const encode = ({ text }) => vocabulary.encode(tokenize(text))
const batchesOf = (takes, options) =>
  new Batches({ clips: takes.flatMap(clipsOf), features, encode, batchSize: 8, seed: 17, ...options })

/** Trains from where the folder's checkpoint stands up to an epoch; returns the model's name. */
async function train(folder, epochs) {
  const model = dualEncoder({
    audio: projection({ inputs: 12, dim: 8, hidden: [16] }),
    text: words({ vocabulary, dim: 8 }),
    backend: openBackend(),
    seed: 17,
  })
  const data = batchesOf([1, 2])
  const objectives = [{ source: data, loss: infoNceLoss({ temperature: 0.1, learnable: true }) }]
  const groups = [{ names: 'text.*', rate: 0.5 }]
  using learner = new Learner({ model, objectives, optimizer: adamw({ lr: 0.02, groups }), seed: 17 })
  using validator = new Validator({
    model,
    data: batchesOf([3], { shuffle: false }),
    objective: learner.objectives[0],
    seed: 17,
  })
  const monitor = new CollapseMonitor()
  const schedule = cosine().start({ base: 0.02, epochs: 4 })

  const saved = await readCheckpoint(folder).catch(() => null)
  if (saved !== null) {
    learner.restore(saved)
    data.restore(saved.loop.data)
    monitor.restore(saved.loop.monitor)
    console.log('goes on at step', learner.steps)
  }
  while (data.state.epoch < epochs) {
    let loss
    for await (const batch of data.epoch()) {
      const epoch = learner.steps / data.batchesPerEpoch
      loss = learner.step(batch, { epoch }).loss // gradients now lie in learner.parameters
      learner.apply(schedule.rate(epoch))
    }
    const look = await validator.look()
    const { warnings } = monitor.epochEnd(look.signs)
    console.log(
      'epoch',
      data.state.epoch,
      'loss',
      loss.toFixed(3),
      'validation',
      look.loss.toFixed(3),
      ...warnings,
    )
    const loop = { data: data.state, monitor: monitor.state() }
    await writeCheckpoint(folder, { ...learner.snapshot(), loop })
  }
  return model.id
}

const whole = await train('own-loop-whole', 4)
await train('own-loop', 2)
const resumed = await train('own-loop', 4)
console.log(resumed === whole ? 'the same bits as without the break' : 'another model')
