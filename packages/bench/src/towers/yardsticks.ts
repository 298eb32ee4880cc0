import { type Matrix, matrix, Rng, row } from '@sonotext/core/base'

/** Shares of classes for each clip [clips × classes] by multinomial logistic regression over standardised vectors. */
export function linearProbe(
  train: { readonly vectors: Matrix; readonly labels: readonly number[] },
  test: Matrix,
  classes: number,
  { steps = 300, rate = 0.5, decay = 1e-3 } = {},
): Matrix {
  const { rows, cols } = train.vectors
  const [means, scales] = momentsOf(train.vectors)
  const standard = (vectors: Matrix) =>
    matrix(
      vectors.rows,
      cols,
      vectors.data.map((value, i) => (value - means[i % cols]!) / scales[i % cols]! / Math.sqrt(cols)),
    )
  const [x, y] = [standard(train.vectors), standard(test)]
  const weights = new Float64Array(classes * (cols + 1))
  for (let step = 0; step < steps; step++) {
    const shares = sharesOf(x, weights, classes)
    const gradient = weights.map((weight, i) => (i % (cols + 1) === cols ? 0 : decay * weight))
    for (let r = 0; r < rows; r++) {
      const values = row(x, r)
      for (let c = 0; c < classes; c++) {
        const error = (row(shares, r)[c]! - (train.labels[r] === c ? 1 : 0)) / rows
        const at = c * (cols + 1)
        for (let i = 0; i < cols; i++) gradient[at + i]! += error * values[i]!
        gradient[at + cols]! += error
      }
    }
    for (let i = 0; i < weights.length; i++) weights[i]! -= 10 * rate * gradient[i]!
  }
  return sharesOf(y, weights, classes)
}

function momentsOf({ rows, cols, data }: Matrix): [Float64Array, Float64Array] {
  const [means, squares] = [new Float64Array(cols), new Float64Array(cols)]
  for (let i = 0; i < data.length; i++) means[i % cols]! += data[i]! / rows
  for (let i = 0; i < data.length; i++) squares[i % cols]! += (data[i]! - means[i % cols]!) ** 2 / rows
  return [means, squares.map((square) => Math.sqrt(square) || 1)]
}

function sharesOf(x: Matrix, weights: Float64Array, classes: number): Matrix {
  const out = matrix(x.rows, classes)
  for (let r = 0; r < x.rows; r++) {
    const values = row(x, r)
    const scores = Array.from({ length: classes }, (_, c) => {
      const at = c * (x.cols + 1)
      let sum = weights[at + x.cols]!
      for (let i = 0; i < x.cols; i++) sum += weights[at + i]! * values[i]!
      return sum
    })
    const peak = Math.max(...scores)
    const powers = scores.map((score) => Math.exp(score - peak))
    const total = powers.reduce((a, b) => a + b)
    out.data.set(
      powers.map((power) => power / total),
      r * classes,
    )
  }
  return out
}

/** Scores [clips × captions]: of each class, its share in the clip times the cosine of the caption and the class's name. */
export function probeTimesSentence(shares: Matrix, captions: Matrix, names: Matrix): Matrix {
  const scores = matrix(shares.rows, captions.rows)
  for (let j = 0; j < captions.rows; j++) {
    const alike = Array.from({ length: names.rows }, (_, c) => dot(row(captions, j), row(names, c)))
    for (let i = 0; i < shares.rows; i++)
      scores.data[i * captions.rows + j] = alike.reduce((sum, s, c) => sum + s * row(shares, i)[c]!, 0)
  }
  return scores
}

/** Scores of whoever knows the class of every clip and caption, and nothing else: order within a class is drawn. */
export function classOracle(clips: readonly number[], captions: readonly number[], seed: number): Matrix {
  const rng = new Rng(seed, 'oracle')
  const scores = matrix(clips.length, captions.length)
  for (const [i, ofClip] of clips.entries())
    for (const [j, ofCaption] of captions.entries())
      scores.data[i * captions.length + j] = (ofClip === ofCaption ? 1 : 0) + 0.5 * rng.uniform()
  return scores
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
