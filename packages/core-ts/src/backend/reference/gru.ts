import { dot, type HostArgs, rowOf } from './host.js'

/** saved[direction, i, t] = [r, z, n, W_hn·h + b_hn], H values each. */
export function gru({
  x,
  wIh,
  wHh,
  bIh,
  bHh,
  out,
  saved,
  n,
  t,
  in: width,
  hidden,
  directions,
}: HostArgs<'gru'>): void {
  const state = new Float64Array(hidden)
  const gate = (weight: typeof x, bias: typeof x, row: number, vector: typeof x): number =>
    dot(rowOf(weight, row, vector.length), vector) + bias[row]!
  for (let direction = 0; direction < directions; direction++) {
    const first = direction * 3 * hidden
    for (let i = 0; i < n; i++) {
      state.fill(0)
      for (const step of steps(t, direction)) {
        const input = rowOf(x, i * t + step, width)
        const kept = rowOf(saved, (direction * n + i) * t + step, 4 * hidden)
        const next = new Float64Array(hidden)
        for (let u = 0; u < hidden; u++) {
          const rRow = first + u
          const zRow = first + hidden + u
          const nRow = first + 2 * hidden + u
          const r = sigmoid(gate(wIh, bIh, rRow, input) + gate(wHh, bHh, rRow, state))
          const z = sigmoid(gate(wIh, bIh, zRow, input) + gate(wHh, bHh, zRow, state))
          const recurrent = gate(wHh, bHh, nRow, state)
          const candidate = Math.tanh(gate(wIh, bIh, nRow, input) + r * recurrent)
          next[u] = (1 - z) * candidate + z * state[u]!
          kept[u] = r
          kept[hidden + u] = z
          kept[2 * hidden + u] = candidate
          kept[3 * hidden + u] = recurrent
        }
        state.set(next)
        rowOf(out, (i * t + step) * directions + direction, hidden).set(next)
      }
    }
  }
}

/** Backpropagation through time, latest step first. */
export function gruBackward(args: HostArgs<'gru_backward'>): void {
  const { x, wIh, wHh, out, saved, gradOut, gradX, n, t, in: width, hidden, directions } = args
  const sums = {
    x: new Float64Array(n * t * width),
    wIh: new Float64Array(wIh.length),
    wHh: new Float64Array(wHh.length),
    bIh: new Float64Array(directions * 3 * hidden),
    bHh: new Float64Array(directions * 3 * hidden),
  }
  const none = new Float64Array(hidden)
  for (let direction = 0; direction < directions; direction++) {
    const first = direction * 3 * hidden
    for (let i = 0; i < n; i++) {
      let gradState = new Float64Array(hidden)
      const order = steps(t, direction)
      for (let s = t - 1; s >= 0; s--) {
        const step = order[s]!
        const at = i * t + step
        const before = s === 0 ? none : rowOf(out, (i * t + order[s - 1]!) * directions + direction, hidden)
        const kept = rowOf(saved, (direction * n + i) * t + step, 4 * hidden)
        const incoming = rowOf(gradOut, at * directions + direction, hidden)
        const gradBefore = new Float64Array(hidden)
        for (let u = 0; u < hidden; u++) {
          const [r, z, candidate, recurrent] = [0, 1, 2, 3].map((k) => kept[k * hidden + u]!) as [
            number,
            number,
            number,
            number,
          ]
          const g = incoming[u]! + gradState[u]!
          gradBefore[u]! += g * z
          const toN = g * (1 - z) * (1 - candidate ** 2)
          const toR = toN * recurrent * r * (1 - r)
          const toZ = g * (before[u]! - candidate) * z * (1 - z)
          push(first + u, toR, toR)
          push(first + hidden + u, toZ, toZ)
          push(first + 2 * hidden + u, toN, toN * r)
        }
        gradState = gradBefore

        /** Gradients of one gate row before its non-linearity, on the input side and on the recurrent side. */
        function push(row: number, inputSide: number, recurrentSide: number): void {
          sums.bIh[row]! += inputSide
          sums.bHh[row]! += recurrentSide
          for (let c = 0; c < width; c++) {
            sums.wIh[row * width + c]! += inputSide * x[at * width + c]!
            sums.x[at * width + c]! += inputSide * wIh[row * width + c]!
          }
          for (let c = 0; c < hidden; c++) {
            sums.wHh[row * hidden + c]! += recurrentSide * before[c]!
            gradBefore[c]! += recurrentSide * wHh[row * hidden + c]!
          }
        }
      }
    }
  }
  gradX?.set(sums.x)
  args.gradWIh.set(sums.wIh)
  args.gradWHh.set(sums.wHh)
  args.gradBIh.set(sums.bIh)
  args.gradBHh.set(sums.bHh)
}

/** The order in which a direction visits time: 0 forward, 1 backward. */
function steps(t: number, direction: number): number[] {
  return Array.from({ length: t }, (_, s) => (direction === 0 ? s : t - 1 - s))
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value))
}
