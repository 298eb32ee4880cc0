import { describe, expect, it } from 'vitest'
import { referenceBackend } from '../backend/reference/index.js'
import { clipFeatures, toyData, toyRun } from '../testing/toy-run.js'
import { matrix } from '../base/matrix.js'
import { evaluateModel, retrievalMeasures, type ScoringModel, scoreSplit } from './evaluate-model.js'
import { createTrainer } from '../train/trainer.js'

const toy = toyData(1, 12, { takes: 6, seed: 9 })
const features = async (clip: (typeof toy.clips)[number]) => clipFeatures(toy.features(clip))

describe('a split', () => {
  it('is scored clip by caption, portion by portion', async () => {
    const { model } = toyRun(referenceBackend())
    const done: number[] = []
    const { scores, captionClip } = await scoreSplit(model, toy.clips, features, {
      onProgress: (n) => done.push(n),
    })
    expect([scores.rows, scores.cols]).toEqual([90, 180])
    expect([...captionClip.slice(0, 5), captionClip[179]]).toEqual([0, 0, 1, 1, 2, 89])
    expect(done).toEqual([64, 90])
    for (const [i, j] of [
      [0, 0],
      [63, 5],
      [64, 179],
      [89, 100],
    ] as const) {
      const clip = toy.features(toy.clips[i]!)
      const text = toy.clips[captionClip[j]!]!.captions[j % 2]!.text
      expect(scores.data[i * 180 + j]).toBeCloseTo((await model.score([clip], [text])).data[0]!, 6)
    }
  })

  it('is evaluated both ways, and as a measure of a training run', async () => {
    const some = toy.clips.slice(0, 15)
    const options = toyRun(referenceBackend(), {
      epochs: 6,
      validation: {
        data: toy.batches({ shuffle: false, leastFrames: 1 }),
        measure: retrievalMeasures(some, features),
      },
    })
    await using trainer = createTrainer(options)
    let last: Readonly<Record<string, number>> = {}
    for await (const report of trainer.steps()) if (report.kind === 'epoch') last = report.validation
    const evaluation = await evaluateModel(options.model, some, features, {
      measures: ['mAP@10', 'R@1'],
      split: 'test',
    })
    expect(evaluation).toMatchObject({ split: 'test', items: 15, queries: 30 })
    expect(last['textToAudio.mAP@10']).toBe(evaluation.textToAudio!['mAP@10'])
    expect(last['audioToText.mAP@10']).toBe(evaluation.audioToText!['mAP@10'])
    expect(evaluation.textToAudio!['mAP@10']).toBeGreaterThan(2 * evaluation.chance.textToAudio!['mAP@10']!)
  })

  it('is evaluated for whatever prepares captions and scores clips', async () => {
    const clips = Array.from({ length: 4 }, (_, i) => ({
      ...{ id: `clip ${i}`, audio: '', captions: [{ id: `${i}#1`, text: String(i) }] },
    }))
    const features = (clip: { id: string }) =>
      Promise.resolve({
        features: matrix(1, 1, Float32Array.of(Number(clip.id.at(-1)))),
        frameStep: 0,
        duration: 0,
      })
    const model: ScoringModel = {
      prepareCaptions: (captions) =>
        Promise.resolve({
          score: (some) =>
            Promise.resolve(
              matrix(
                some.length,
                captions.length,
                Float32Array.from(
                  some.flatMap(({ data }) => captions.map(({ text }) => -Math.abs(data[0]! - Number(text)))),
                ),
              ),
            ),
          [Symbol.dispose]() {},
        }),
    }
    const { textToAudio, audioToText } = await evaluateModel(model, clips, features, { measures: ['R@1'] })
    expect([textToAudio, audioToText]).toEqual([{ 'R@1': 1 }, { 'R@1': 1 }])
  })

  it('stops when its signal fires', async () => {
    const { model } = toyRun(referenceBackend())
    await expect(
      evaluateModel(model, toy.clips, features, { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'ABORTED' })
  })
})
