import type { HostArgs } from './host.js'
import { cosinesOf, LEFT_OUT, POSITIVE, rolesOf, spreadGradient } from './pair-scores.js'

export function sigmoidPair(args: HostArgs<'sigmoid_pair'>): void {
  const { logTemperature, bias, gradLogTemperature, gradBias, stats, n } = args
  const inverse = Math.exp(-logTemperature[0]!)
  const roles = rolesOf(args)
  const cosines = cosinesOf(args)
  const gradCosines = new Float64Array(n * n)
  const [positive, other] = [0, 0].map(() => ({ count: 0, sigmoids: 0 })) as [Side, Side]
  let loss = 0
  let ofBias = 0
  let cosine = 0
  roles.forEach((role, cell) => {
    if (role === LEFT_OUT) return
    const score = cosines[cell]! * inverse + bias[0]!
    const sigmoid = 1 / (1 + Math.exp(-score))
    const wanted = role === POSITIVE ? 1 : 0
    const gradient = (sigmoid - wanted) / n
    loss += softplus(wanted === 1 ? -score : score) / n
    ofBias += gradient
    gradCosines[cell] = gradient * inverse
    const side = wanted === 1 ? positive : other
    side.count++
    side.sigmoids += sigmoid
  })
  for (let i = 0; i < n; i++) cosine += cosines[i * n + i]! / n
  const products = spreadGradient(args, cosines, gradCosines)
  gradLogTemperature?.fill(-products)
  gradBias?.fill(ofBias)
  stats.set([loss, meanOf(positive), meanOf(other), cosine])
}

interface Side {
  count: number
  sigmoids: number
}

const meanOf = ({ count, sigmoids }: Side): number => (count === 0 ? 0 : sigmoids / count)

/** ln(1 + eˣ), also for large x. */
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
