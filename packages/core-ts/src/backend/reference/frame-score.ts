import { dot, type HostArgs, rowOf } from './host.js'

const MEAN = 0
const MAX_OVER_FRAMES = 1

/** How much each (frame, word) product of one pair counts; products are ReLU'd and every mean divides by true lengths. */
interface Cell {
  frame: number
  word: number
  weight: number
}

type PairArgs = Pick<
  HostArgs<'frame_score'>,
  'frames' | 'words' | 'frameLengths' | 'wordLengths' | 'maxFrames' | 'maxWords' | 'd' | 'reduction'
>

export function frameScore(args: HostArgs<'frame_score'>): void {
  for (let i = 0; i < args.clips; i++) {
    for (let j = 0; j < args.captions; j++) {
      const products = productsOf(args, i, j)
      const wordCount = args.wordLengths[j]!
      let score = 0
      for (const { frame, word, weight } of cellsOf(args, products, i, j)) {
        score += weight * Math.max(products[frame * wordCount + word]!, 0)
      }
      args.out[i * args.captions + j] = score
    }
  }
}

export function frameScoreBackward(args: HostArgs<'frame_score_backward'>): void {
  const { frames, words, gradOut, gradFrames, gradWords, clips, captions, maxFrames, maxWords, d } = args
  const frameSums = new Float64Array(clips * maxFrames * d)
  const wordSums = new Float64Array(captions * maxWords * d)
  for (let i = 0; i < clips; i++) {
    for (let j = 0; j < captions; j++) {
      const products = productsOf(args, i, j)
      const wordCount = args.wordLengths[j]!
      const incoming = gradOut[i * captions + j]!
      for (const { frame, word, weight } of cellsOf(args, products, i, j)) {
        if (!(products[frame * wordCount + word]! > 0)) continue
        const frameAt = (i * maxFrames + frame) * d
        const wordAt = (j * maxWords + word) * d
        for (let c = 0; c < d; c++) {
          frameSums[frameAt + c]! += incoming * weight * words[wordAt + c]!
          wordSums[wordAt + c]! += incoming * weight * frames[frameAt + c]!
        }
      }
    }
  }
  gradFrames?.set(frameSums)
  gradWords?.set(wordSums)
}

/** frames[i, t] · words[j, w] over the true lengths, [frameLengths[i] × wordLengths[j]]. */
function productsOf(
  { frames, words, maxFrames, maxWords, d, ...args }: PairArgs,
  i: number,
  j: number,
): Float64Array {
  const frameCount = args.frameLengths[i]!
  const wordCount = args.wordLengths[j]!
  const products = new Float64Array(frameCount * wordCount)
  for (let t = 0; t < frameCount; t++) {
    for (let w = 0; w < wordCount; w++) {
      products[t * wordCount + w] = dot(
        rowOf(frames, i * maxFrames + t, d),
        rowOf(words, j * maxWords + w, d),
      )
    }
  }
  return products
}

function* cellsOf(args: PairArgs, products: Float64Array, i: number, j: number): Generator<Cell> {
  const frameCount = args.frameLengths[i]!
  const wordCount = args.wordLengths[j]!
  if (frameCount === 0 || wordCount === 0) return
  if (args.reduction === MEAN) {
    const weight = 1 / (frameCount * wordCount)
    for (let frame = 0; frame < frameCount; frame++) {
      for (let word = 0; word < wordCount; word++) yield { frame, word, weight }
    }
  } else if (args.reduction === MAX_OVER_FRAMES) {
    for (let word = 0; word < wordCount; word++) {
      let frame = 0
      for (let t = 1; t < frameCount; t++) {
        if (beats(products[t * wordCount + word]!, products[frame * wordCount + word]!)) frame = t
      }
      yield { frame, word, weight: 1 / wordCount }
    }
  } else {
    for (let frame = 0; frame < frameCount; frame++) {
      let word = 0
      for (let w = 1; w < wordCount; w++) {
        if (beats(products[frame * wordCount + w]!, products[frame * wordCount + word]!)) word = w
      }
      yield { frame, word, weight: 1 / frameCount }
    }
  }
}

/** A product that is not a number wins, so that the score shows it. */
function beats(product: number, best: number): boolean {
  return product > best || (Number.isNaN(product) && !Number.isNaN(best))
}
