// A training loop of one's own: steps, schedule, validation, watching for collapse and a checkpoint to go on from, without a
// trainer around them. The run is left after two epochs and taken up again, as a killed program would do it.
import { dualEncoder, infoNceLoss, openBackend, projection, words } from '@sonotext/core'
import * as training from '@sonotext/core/train'
import { batchesOf, vocabulary } from './data/two-sounds.mjs'

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
  using learner = new training.Learner({
    model,
    objectives,
    optimizer: training.adamw({ lr: 0.02, groups }),
    seed: 17,
  })
  using validator = new training.Validator({
    model,
    data: batchesOf([3], { shuffle: false }),
    objective: learner.objectives[0],
    seed: 17,
  })
  const monitor = new training.CollapseMonitor()
  const schedule = training.cosine().start({ base: 0.02, epochs: 4 })

  const saved = await training.readCheckpoint(folder).catch(() => null)
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
    const shown = ['loss', loss.toFixed(3), 'validation', look.loss.toFixed(3), ...warnings]
    console.log('epoch', data.state.epoch, ...shown)
    const loop = { data: data.state, monitor: monitor.state() }
    await training.writeCheckpoint(folder, { ...learner.snapshot(), loop })
  }
  return model.id
}

const whole = await train('own-loop-whole', 4)
await train('own-loop', 2)
const resumed = await train('own-loop', 4)
console.log(resumed === whole ? 'the same bits as without the break' : 'another model')
