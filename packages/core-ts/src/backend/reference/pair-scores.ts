import { dot, type HostArgs, rowOf } from './host.js'

/** What losses over the scores of every clip with every caption have in common. */
type PairArgs = HostArgs<'info_nce'> | HostArgs<'sigmoid_pair'>

export const LEFT_OUT = 0
export const NEGATIVE = 1
export const POSITIVE = 2

/** The whole n×n matrix is kept here: this is the oracle, the native ops stream tiles. */
export function cosinesOf({ audio, text, n, d }: PairArgs): Float64Array {
  const cosines = new Float64Array(n * n)
  if (text === null) cosines.set(audio)
  else
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) cosines[i * n + j] = dot(rowOf(audio, i, d), rowOf(text, j, d))
  return cosines
}

/** Gradients of the factors from that of their products; returns Σ gradient · cosine. */
export function spreadGradient(
  { audio, text, gradAudio, gradText, n, d }: PairArgs,
  cosines: Float64Array,
  gradCosines: Float64Array,
): number {
  const products = gradCosines.reduce((sum, g, cell) => sum + (g === 0 ? 0 : g * cosines[cell]!), 0)
  if (text === null || gradText === null) {
    gradAudio.set(gradCosines)
    return products
  }
  const audioSums = new Float64Array(n * d)
  const textSums = new Float64Array(n * d)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const g = gradCosines[i * n + j]!
      for (let c = 0; c < d; c++) {
        audioSums[i * d + c]! += g * text[j * d + c]!
        textSums[j * d + c]! += g * audio[i * d + c]!
      }
    }
  }
  gradAudio.set(audioSums)
  gradText.set(textSums)
  return products
}

/** What item j is to anchor i, for every cell (i, j) of the clip × caption matrix. The pair itself is always positive. */
export function rolesOf({ groups, excludeOffsets, excludeIndex, n, positives }: PairArgs): Uint8Array {
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
