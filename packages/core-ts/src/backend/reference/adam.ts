import type { HostArgs } from './host.js'

/** Moments below this are kept as 0, as in the native kernels, for which denormals are slow. */
const leastMoment = 1e-37

export function adam(args: HostArgs<'adam'>): void {
  const { param, grad, m, v, step, decoupled, lr, beta1, beta2, eps, weightDecay } = args
  const correction1 = 1 - beta1 ** step
  const correction2 = 1 - beta2 ** step
  for (let i = 0; i < param.length; i++) {
    const decayed = decoupled ? param[i]! * (1 - lr * weightDecay) : param[i]!
    const g = decoupled ? grad[i]! : grad[i]! + weightDecay * param[i]!
    const first = beta1 * m[i]! + (1 - beta1) * g
    const second = beta2 * v[i]! + (1 - beta2) * g * g
    m[i] = Math.abs(first) < leastMoment ? 0 : first
    v[i] = Math.abs(second) < leastMoment ? 0 : second
    param[i] = decayed - ((lr / correction1) * first) / (Math.sqrt(second / correction2) + eps)
  }
}
