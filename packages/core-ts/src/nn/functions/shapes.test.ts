import { expect, test } from 'vitest'
import { referenceBackend } from '../../backend/reference/index.js'
import { Tape } from '../tape.js'
import { type Shape, sizeOf, type Tensor } from '../tensor.js'
import * as nn from './index.js'

const tape = new Tape(referenceBackend(), { training: true })
const t = (...shape: Shape): Tensor => tape.constant(shape, new Float32Array(sizeOf(shape)))
const lengths = (...values: number[]): Int32Array => Int32Array.from(values)
const lists = (n: number) => ({ offsets: new Int32Array(n + 1), index: new Int32Array(0) })
const state = (c: number) => ({ gamma: t(c), beta: t(c), runningMean: t(c), runningVar: t(c) })
const gates = { wIh: t(2, 9, 4), wHh: t(2, 9, 3), bIh: t(2, 9), bHh: t(2, 9) }
const temperature = t(1)

test.each<[string, () => unknown, string]>([
  ['add', () => nn.add(tape, t(2, 3), t(3, 2)), 'Expected shape [2, 3] for b of add, got "[3, 2]".'],
  ['multiply', () => nn.multiply(tape, t(2), t(3)), 'shape [2] for b of multiply'],
  ['swapAxes', () => nn.swapAxes(tape, t(2, 3), 0, 2), 'an axis of [2, 3] for axis of swapAxes, got 2'],
  ['slice', () => nn.slice(tape, t(2, 3), 1, 2, 4), '0 ≤ from ≤ to ≤ 3 for from and to of slice'],
  [
    'concat',
    () => nn.concat(tape, [t(2, 3), t(3, 3)], 1),
    'shape [2, 3] but for axis 1 for a part of concat',
  ],
  ['concat nothing', () => nn.concat(tape, [], 0), 'at least one tensor for parts of concat'],
  [
    'softmax lengths',
    () => nn.softmax(tape, t(2, 3), lengths(1, 4)),
    'a length in [0, 3] for lengths of softmax[1]',
  ],
  ['layerNorm', () => nn.layerNorm(tape, t(2, 3), t(2), t(3)), 'shape [3] for gamma of layerNorm'],
  ['maskedMax', () => nn.maskedMax(tape, t(2, 3), lengths(1)), 'shape [n, t, c] for x of maskedMax'],
  [
    'batchedMatmul',
    () => nn.batchedMatmul(tape, t(2, 3, 4), t(2, 3, 4)),
    'a batch and a shared axis that fit [2, 3, 4] for b of batchedMatmul',
  ],
  [
    'attention heads',
    () => nn.attention(tape, t(1, 2, 4), t(1, 3, 4), t(1, 3, 4), { heads: 3 }),
    'a divisor of 4 for heads of attention, got 3',
  ],
  [
    'sigmoidPair',
    () =>
      nn.sigmoidPair(tape, t(2, 3), null, {
        groups: lengths(0, 1),
        logTemperature: temperature,
        bias: temperature,
      }),
    'shape [2, 2] for audio of sigmoidPair without text',
  ],
  ['reshape', () => nn.reshape(tape, t(2, 3), [4]), 'a shape of 6 elements like [2, 3]'],
  [
    'conv2d rank',
    () => nn.conv2d(tape, t(2, 3), t(3, 3, 1, 1)),
    'Expected shape [n, h, w, cin] for x of conv2d',
  ],
  [
    'conv2d channels',
    () => nn.conv2d(tape, t(1, 2, 2, 3), t(3, 3, 2, 1)),
    'shape [kh, kw, 3, cout] for weight of conv2d',
  ],
  [
    'conv2d even kernel',
    () => nn.conv2d(tape, t(1, 2, 2, 1), t(2, 3, 1, 1)),
    'an odd kernel height for conv2d.kh',
  ],
  ['batchNorm', () => nn.batchNorm(tape, t(4, 3), state(2)), 'shape [3] for gamma of batchNorm'],
  ['batchNorm scalar', () => nn.batchNorm(tape, t(), state(2)), 'at least one axis for x of batchNorm'],
  ['leakyRelu', () => nn.leakyRelu(tape, t(1), -0.1), 'a finite number from 0 for leaky_relu.slope'],
  ['lpPool', () => nn.lpPool(tape, t(1, 2, 2), { kernel: [2, 2] }), 'shape [n, h, w, c] for x of lpPool'],
  [
    'lpPool window',
    () => nn.lpPool(tape, t(1, 2, 2, 1), { kernel: [0, 2] }),
    'an integer from 1 to 2147483647 for kernel[0] of lpPool, got 0.',
  ],
  [
    'lpPool window of a part',
    () => nn.lpPool(tape, t(1, 2, 2, 1), { kernel: [1, 1.5] }),
    'kernel[1] of lpPool, got 1.5.',
  ],
  [
    'linear slope',
    () => nn.linear(tape, t(1, 1), t(1, 1), null, { slope: Infinity }),
    'a finite number from 0 for slope of linear, got Infinity.',
  ],
  ['lpPool odd power', () => nn.lpPool(tape, t(1, 2, 2, 1), { kernel: [1, 2], p: 3 }), 'lp_pool.p, got 3'],
  ['dropout', () => nn.dropout(tape, t(1), 1), 'a number from 0 to below 1 for rate of dropout, got 1.'],
  ['gru input', () => nn.gru(tape, t(1, 2, 5), gates), 'shape [2, 9, 5] for wIh of gru'],
  [
    'gru gates',
    () => nn.gru(tape, t(1, 2, 4), { ...gates, wIh: t(2, 8, 4) }),
    'shape [1 or 2, 3·hidden, in] for wIh',
  ],
  [
    'gru directions',
    () => nn.gru(tape, t(1, 2, 4), { ...gates, bHh: t(1, 9) }),
    'shape [2, 9] for bHh of gru',
  ],
  ['interpolate', () => nn.interpolate(tape, t(2, 3), 5), 'shape [n, l, c] for x of interpolate'],
  ['interpolate target', () => nn.interpolate(tape, t(2, 3, 1), 2.5), 't of interpolate, got 2.5'],
  [
    'interpolate nothing',
    () => nn.interpolate(tape, t(2, 0, 1), 5),
    'at least 1 input step for interpolate.l',
  ],
  ['embedding', () => nn.embedding(tape, t(4), lengths(1)), 'shape [vocabulary, d] for table of embedding'],
  ['embedding shape', () => nn.embedding(tape, t(4, 2), lengths(1, 2), [3]), 'a shape of 2 tokens'],
  [
    'maskedMean',
    () => nn.maskedMean(tape, t(2, 3, 1), lengths(1)),
    'an Int32Array of 2 lengths for lengths of maskedMean',
  ],
  [
    'maskedMean long',
    () => nn.maskedMean(tape, t(2, 3, 1), lengths(1, 4)),
    'a length in [0, 3] for lengths of maskedMean[1], got 4',
  ],
  ['linear', () => nn.linear(tape, t(2, 3), t(4, 2), null), 'shape [out, 3] for weight of linear'],
  ['linear bias', () => nn.linear(tape, t(2, 3), t(4, 3), t(3)), 'shape [4] for bias of linear'],
  [
    'matmul',
    () => nn.matmul(tape, t(2, 3), t(4, 2)),
    'a shared axis of 3 with a [2, 3] for b of matmul, got "[4, 2]"',
  ],
  ['matmul rank', () => nn.matmul(tape, t(2), t(4, 2), { transA: true }), 'shape [k, m] for a of matmul'],
  ['similarity', () => nn.similarity(tape, t(2, 3), t(4, 2)), 'shape [m, 3] for b of similarity'],
  [
    'frameScore depth',
    () => nn.frameScore(tape, t(1, 2, 3), t(1, 2, 4), { frameLengths: lengths(2), wordLengths: lengths(2) }),
    'shape [captions, w, 3] for words of frameScore',
  ],
  [
    'frameScore lengths',
    () => nn.frameScore(tape, t(1, 2, 3), t(1, 2, 3), { frameLengths: lengths(3), wordLengths: lengths(2) }),
    'a length in [0, 2] for frameLengths of frameScore[0], got 3',
  ],
  [
    'frameScore reduction',
    () =>
      nn.frameScore(tape, t(1, 2, 3), t(1, 2, 3), {
        frameLengths: lengths(2),
        wordLengths: lengths(2),
        reduction: 'MAX' as 'STSQ',
      }),
    'one of STSQ, MTSQ, MQST for reduction of frameScore, got "MAX"',
  ],
  [
    'triplet',
    () => nn.tripletFromPicks(tape, t(2, 3), { audio: lists(2), text: lists(2) }, 0.5),
    'shape [n, n] for scores of tripletFromPicks',
  ],
  [
    'triplet picks',
    () => nn.tripletFromPicks(tape, t(2, 2), { audio: lists(1), text: lists(2) }, 0.5),
    '3 elements for triplet.audioOffsets',
  ],
  [
    'infoNce',
    () => nn.infoNce(tape, t(2, 3), t(2, 4), { groups: lengths(0, 1), logTemperature: temperature }),
    'shape [2, 3] for text of infoNce',
  ],
  [
    'infoNce groups',
    () => nn.infoNce(tape, t(2, 3), t(2, 3), { groups: lengths(0), logTemperature: temperature }),
    '2 elements for info_nce.groups',
  ],
  [
    'infoNce positives',
    () =>
      nn.infoNce(tape, t(2, 3), t(2, 3), {
        groups: lengths(0, 1),
        logTemperature: temperature,
        positives: 'all' as 'own-pair',
      }),
    "'own-pair' or 'same-clip' for positives of infoNce",
  ],
])('%s names what was expected', (_, call, message) => {
  expect(call).toThrow(message)
})
