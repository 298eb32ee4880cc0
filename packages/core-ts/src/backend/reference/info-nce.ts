import { dot, type HostArgs, rowOf } from './host.js'

const LEFT_OUT = 0
const NEGATIVE = 1
const POSITIVE = 2

/** The whole n×n matrix is kept here: this is the oracle, the native op streams tiles. */
export function infoNce(args: HostArgs<'info_nce'>): void {
  const { audio, text, logTemperature, gradAudio, gradText, gradLogTemperature, stats, n, d } = args
  const inverse = Math.exp(-logTemperature[0]!)
  const roles = rolesOf(args)
  const cosines = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) cosines[i * n + j] = dot(rowOf(audio, i, d), rowOf(text, j, d))
  }
  const gradScores = new Float64Array(n * n)
  const toText = crossEntropy(cosines, roles, gradScores, n, inverse, { anchor: n, candidate: 1 })
  const toAudio = crossEntropy(cosines, roles, gradScores, n, inverse, { anchor: 1, candidate: n })

  const audioSums = new Float64Array(n * d)
  const textSums = new Float64Array(n * d)
  let logTemperatureSum = 0
  let positive = 0
  for (let i = 0; i < n; i++) {
    positive += cosines[i * n + i]! / n
    for (let j = 0; j < n; j++) {
      const g = gradScores[i * n + j]! * inverse
      logTemperatureSum -= g * cosines[i * n + j]!
      for (let c = 0; c < d; c++) {
        audioSums[i * d + c]! += g * text[j * d + c]!
        textSums[j * d + c]! += g * audio[i * d + c]!
      }
    }
  }
  gradAudio.set(audioSums)
  gradText.set(textSums)
  gradLogTemperature?.fill(logTemperatureSum)
  stats.set([toText.loss + toAudio.loss, toText.accuracy, toAudio.accuracy, positive])
}

/** What item j is to anchor i, for every cell (i, j) of the clip × caption matrix. The pair itself is always positive. */
function rolesOf({ groups, excludeOffsets, excludeIndex, n, positives }: HostArgs<'info_nce'>): Uint8Array {
  const roles = new Uint8Array(n * n).fill(NEGATIVE)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (groups[i] === groups[j]) roles[i * n + j] = positives ? POSITIVE : LEFT_OUT
    }
    if (excludeOffsets !== null && excludeIndex !== null) {
      for (const j of excludeIndex.subarray(excludeOffsets[i], excludeOffsets[i + 1]))
        roles[i * n + j] = LEFT_OUT
    }
    roles[i * n + i] = POSITIVE
  }
  return roles
}

/**
 * Mean cross-entropy of one direction; adds d loss / d score to `gradScores`. `stride` orients the matrix: anchor i and
 * candidate j meet at i·stride.anchor + j·stride.candidate.
 */
function crossEntropy(
  cosines: Float64Array,
  roles: Uint8Array,
  gradScores: Float64Array,
  n: number,
  inverse: number,
  stride: { anchor: number; candidate: number },
): { loss: number; accuracy: number } {
  let loss = 0
  let accuracy = 0
  for (let i = 0; i < n; i++) {
    const cells: number[] = []
    for (let j = 0; j < n; j++) {
      const cell = i * stride.anchor + j * stride.candidate
      if (roles[cell] !== LEFT_OUT) cells.push(cell)
    }
    let best = cells[0]!
    let positives = 0
    for (const cell of cells) {
      if (cosines[cell]! > cosines[best]!) best = cell
      if (roles[cell] === POSITIVE) positives++
    }
    const max = cosines[best]! * inverse
    let sum = 0
    for (const cell of cells) sum += Math.exp(cosines[cell]! * inverse - max)
    const logSum = max + Math.log(sum)
    if (roles[best] === POSITIVE) accuracy += 1 / n
    for (const cell of cells) {
      const logProbability = cosines[cell]! * inverse - logSum
      const target = roles[cell] === POSITIVE ? 1 / positives : 0
      loss -= (target * logProbability) / n
      gradScores[cell]! += (Math.exp(logProbability) - target) / n
    }
  }
  return { loss, accuracy }
}
