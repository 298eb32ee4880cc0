import { expect, it } from 'vitest'
import { openBackend, referenceBackend } from '../backend/index.js'
import { matrix } from '../base/index.js'
import { checkClips, importFolder, readManifest, writeManifest } from '../data/index.js'
import { infoNceLoss, tripletLoss } from '../losses/index.js'
import {
  compareEvaluations,
  compareGroups,
  evaluateRunFiles,
  evaluateRunTexts,
  evaluateScores,
} from '../metrics/index.js'
import { crnn, dualEncoder, loadModel, meanWords, projection, words } from '../models/index.js'
import { createIndex, loadIndex } from '../retrieval/index.js'
import { frameWord, pooled } from '../similarity/index.js'
import { embeddingTable, readWordVectors, trainWordVectors, writeWordVectors } from '../text/index.js'
import { adam, adamw, cosine, createTrainer, patience, plateau, stagnation } from '../train/index.js'

type Call = (options: never) => unknown

const one = evaluateScores(matrix(1, 1), [0])

/** Public functions with options; from JavaScript anything may come where an object is meant. */
const functions: Record<string, Call> = {
  openBackend,
  frameWord,
  pooled,
  tripletLoss,
  infoNceLoss,
  crnn,
  projection,
  words,
  meanWords,
  dualEncoder,
  adam,
  adamw,
  cosine,
  plateau,
  patience,
  stagnation,
  createTrainer,
  createIndex,
  loadModel: (options) => loadModel('x', options),
  loadIndex: (options) => loadIndex('x', options),
  evaluateScores: (options) => evaluateScores(matrix(1, 1), [0], options),
  compareEvaluations: (options) => compareEvaluations(one, one, options),
  compareGroups: (options) => compareGroups([one, one], [one, one], options),
  evaluateRunFiles: (options) => evaluateRunFiles('x', 'y', options),
  evaluateRunTexts: (options) => evaluateRunTexts({ run: '', truth: '' }, options),
  checkClips: (options) => checkClips([], options),
  readManifest: (options) => readManifest('x', options),
  writeManifest: (options) => writeManifest('x', [], options),
  importFolder: (options) => importFolder('x', options),
  readWordVectors: (options) => readWordVectors('x', options),
  writeWordVectors: (options) => writeWordVectors('x', { words: [], vectors: matrix(0, 1) }, options),
  trainWordVectors: (options) => trainWordVectors([], options),
  embeddingTable: (options) => embeddingTable(null as never, { words: [], vectors: matrix(0, 1) }, options),
}

it.each(Object.entries(functions))('%s refuses what is no object of options', async (_name, call) => {
  for (const wrong of ['mtsq', 3, true, null, ['x'], new Float32Array(1), () => 1]) {
    const outcome = (async () => call(wrong as never))()
    await expect(outcome).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/^Expected an object of options for \w+, got /) as string,
    })
  }
})

it('takes objects of any kind', () => {
  expect(frameWord(Object.create(null) as object).name).toBe(frameWord().name)
  expect(referenceBackend().info.device).toBe('reference')
})
