import { matrix } from '@sonotext/core/base'
import { evaluateScores, withoutPerQuery } from '@sonotext/core/metrics'
import { expect, it } from 'vitest'
import { reportText, type TowerResult, type TowersReport } from './report.js'

/** Of three clips with a caption each, the first `right` are found. */
const found = (right: number) => {
  const scores = matrix(3, 3)
  for (let i = 0; i < 3; i++) scores.data[i * 3 + (i < right ? i : (i + 1) % 3)] = 1
  return withoutPerQuery(evaluateScores(scores, [0, 1, 2], { measures: ['R@1', 'mAP@10'] }))
}
const result = (draw: number, seed: number, scenes: number, free: number): TowerResult => ({
  ...{ draw, seed, seconds: 9.94, processorSeconds: 12.25 },
  ...{ evaluation: found(scenes), free: found(free), zeroShot: null },
})
const report: TowersReport = {
  measures: ['R@1', 'mAP@10'],
  data: '3 scenes.',
  folds: { train: '1', test: '2' },
  ...{ recordings: 3, captions: 3 },
  heads: [result(1, 17, 3, 2), result(1, 18, 2, 2)],
  draws: [result(1, 17, 3, 2), result(2, 17, 2, 1)],
  crnn: [result(1, 5, 1, 0)],
  crnnEpochs: 9,
  probe: { evaluation: found(1), accuracy: 0.5 },
  oracle: [found(3)],
  about: {
    ...{ device: 'cpu', isa: 'avx2', threads: 2, cpu: 'x', cores: 2, instructionSets: ['avx2'] },
    ...{ system: 'Linux', node: 'v24', compiler: null, commit: 'abc', date: '2026-01-01', load: 1 },
  },
}

it('tells seeds, intervals over what is held out, the CRNN beside, and other draws', () => {
  const text = reportText(report)
  const row = (start: RegExp) => text.split('\n').filter((line) => start.test(line))
  expect(row(/^\| text → audio \| R@1 .*1\.000 \| +0\.667 \|/)).toHaveLength(1)
  expect(text).toMatch(/scenes 1\.000 \(\d\.\d{3}–1\.000\) text → audio/)
  expect(text).toMatch(/9 epochs, in 10 \(12\) s by the clock \(of processors\)/)
  expect(text).toMatch(/heads, 2 seeds \| CRNN, 1 seed \| probe × sentence \| class oracle/)
  expect(text).toMatch(/over 2 draws of the training clips/)
  expect(row(/^\| scenes +\| text → audio \| +1\.000 \| +0\.\d{3} \|/)).toHaveLength(1)
  expect(text).not.toMatch(/never heard, by their names/)
})

it('leaves out what was not run', () => {
  const text = reportText({ ...report, crnn: [], draws: report.draws.slice(0, 1) })
  expect(text).not.toMatch(/CRNN|Other draws/)
})
