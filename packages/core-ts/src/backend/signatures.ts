import type { OpArgs, OpName } from './port.js'

/** What an op expects of one buffer. */
export interface BufferRule<A, Kind = 'float' | 'int', Nullable = boolean> {
  readonly kind: Kind
  readonly direction: 'in' | 'out' | 'inout'
  readonly nullable: Nullable
  /** Expected number of elements. */
  readonly size: (args: A) => number
}

/** What an op expects of one number. */
export interface NumberRule {
  readonly kind: 'number'
  readonly expected: string
  readonly holds: (value: number) => boolean
}

type RuleFor<A, T> = [T] extends [number]
  ? NumberRule
  : BufferRule<A, NonNullable<T> extends Int32Array ? 'int' : 'float', null extends T ? true : false>

export type Signature<A> = { readonly [K in keyof A]: RuleFor<A, A[K]> }

type Size<A> = (args: A) => number

const input = <A>(size: Size<A>): BufferRule<A, 'float', false> => ({
  kind: 'float',
  direction: 'in',
  nullable: false,
  size,
})
const output = <A>(size: Size<A>): BufferRule<A, 'float', false> => ({ ...input(size), direction: 'out' })
const inout = <A>(size: Size<A>): BufferRule<A, 'float', false> => ({ ...input(size), direction: 'inout' })
const integers = <A>(size: Size<A>): BufferRule<A, 'int', false> => ({ ...input(size), kind: 'int' })
const optional = <A, K>(rule: BufferRule<A, K, false>): BufferRule<A, K, true> => ({
  ...rule,
  nullable: true,
})

const number = (what: string, holds: (value: number) => boolean): NumberRule => ({
  kind: 'number',
  expected: what,
  holds,
})
const count = number('an integer of 0 or more', (v) => Number.isSafeInteger(v) && v >= 0)
const extent = number('an integer of 1 or more', (v) => Number.isSafeInteger(v) && v >= 1)
const odd = number('an odd integer of 1 or more', (v) => Number.isSafeInteger(v) && v >= 1 && v % 2 === 1)
const even = number('an even integer of 2 or more', (v) => Number.isSafeInteger(v) && v >= 2 && v % 2 === 0)
const power = number('an even integer from 2 to 64', (v) => v >= 2 && v <= 64 && v % 2 === 0)
const flag = number('0 or 1', (v) => v === 0 || v === 1)
const oneOf = (...values: number[]) => number(`one of ${values.join(', ')}`, (v) => values.includes(v))
const word = number('an unsigned 32-bit integer', (v) => v >>> 0 === v)
const real = number('a finite number', (v) => Number.isFinite(v))
const atLeast0 = number('a finite number of 0 or more', (v) => Number.isFinite(v) && v >= 0)
const share = number('a number in [0, 1)', (v) => v >= 0 && v < 1)
const fraction = number('a number in [0, 1]', (v) => v >= 0 && v <= 1)

const { floor } = Math

/** Every op's arguments: direction and size of each buffer, range of each number. */
export const signatures: { readonly [K in OpName]: Signature<OpArgs[K]> } = {
  log_mel: {
    pcm: input((a) => a.pcm.length),
    window: input((a) => 2 * a.nFft),
    filterStart: integers((a) => a.bands),
    filterOffset: integers((a) => a.bands + 1),
    filterWeights: input((a) => a.filterOffset[a.bands] ?? 0),
    out: output((a) => a.frames * a.bands),
    nFft: extent,
    hop: extent,
    frames: count,
    bands: count,
    pad: count,
    padMode: flag,
    power: oneOf(1, 2),
    logKind: oneOf(0, 1, 2, 3),
    offset: atLeast0,
  },
  resample: {
    pcm: input((a) => a.pcm.length),
    taps: input((a) => a.up * a.width),
    out: output((a) => a.out.length),
    up: extent,
    down: extent,
    width: even,
  },
  gemm: {
    a: input((a) => a.m * a.k),
    b: input((a) => a.k * a.n),
    bias: optional(input((a) => a.n)),
    out: inout((a) => a.m * a.n),
    m: count,
    n: count,
    k: count,
    transA: flag,
    transB: flag,
    alpha: real,
    beta: real,
    slope: real,
  },
  l2_normalize: {
    x: input((a) => a.rows * a.cols),
    out: output((a) => a.rows * a.cols),
    norms: output((a) => a.rows),
    rows: count,
    cols: count,
    eps: atLeast0,
  },
  l2_normalize_backward: {
    out: input((a) => a.rows * a.cols),
    norms: input((a) => a.rows),
    gradOut: input((a) => a.rows * a.cols),
    gradX: output((a) => a.rows * a.cols),
    rows: count,
    cols: count,
    eps: atLeast0,
  },
  similarity: {
    a: input((a) => a.batch * a.n * a.d),
    b: input((a) => a.batch * a.m * a.d),
    out: output((a) => a.batch * a.n * a.m),
    batch: count,
    n: count,
    m: count,
    d: count,
    scale: real,
  },
  frame_score: {
    frames: input((a) => a.clips * a.maxFrames * a.d),
    words: input((a) => a.captions * a.maxWords * a.d),
    frameLengths: integers((a) => a.clips),
    wordLengths: integers((a) => a.captions),
    out: output((a) => a.clips * a.captions),
    clips: count,
    captions: count,
    maxFrames: count,
    maxWords: count,
    d: count,
    reduction: oneOf(0, 1, 2),
  },
  frame_score_backward: {
    frames: input((a) => a.clips * a.maxFrames * a.d),
    words: input((a) => a.captions * a.maxWords * a.d),
    frameLengths: integers((a) => a.clips),
    wordLengths: integers((a) => a.captions),
    gradOut: input((a) => a.clips * a.captions),
    gradFrames: optional(output((a) => a.clips * a.maxFrames * a.d)),
    gradWords: optional(output((a) => a.captions * a.maxWords * a.d)),
    clips: count,
    captions: count,
    maxFrames: count,
    maxWords: count,
    d: count,
    reduction: oneOf(0, 1, 2),
  },
  top_k: {
    queries: input((a) => a.q * a.d),
    items: input((a) => a.n * a.d),
    outIndices: { ...integers((a) => a.q * a.k), direction: 'out' },
    outScores: output((a) => a.q * a.k),
    q: count,
    n: count,
    d: count,
    k: count,
  },
  triplet: {
    scores: input((a) => a.n * a.n),
    audioOffsets: integers((a) => a.n + 1),
    audioIndex: integers((a) => a.audioOffsets[a.n] ?? 0),
    textOffsets: integers((a) => a.n + 1),
    textIndex: integers((a) => a.textOffsets[a.n] ?? 0),
    gradScores: output((a) => a.n * a.n),
    stats: output(() => 4),
    n: count,
    margin: real,
  },
  info_nce: {
    audio: input((a) => a.n * a.d),
    text: input((a) => a.n * a.d),
    groups: integers((a) => a.n),
    excludeOffsets: optional(integers((a) => a.n + 1)),
    excludeIndex: optional(integers((a) => a.excludeOffsets?.[a.n] ?? 0)),
    logTemperature: input(() => 1),
    gradAudio: output((a) => a.n * a.d),
    gradText: output((a) => a.n * a.d),
    gradLogTemperature: optional(output(() => 1)),
    stats: output(() => 4),
    n: count,
    d: count,
    positives: flag,
  },
  conv2d: {
    x: input((a) => a.n * a.h * a.w * a.cin),
    weight: input((a) => a.kh * a.kw * a.cin * a.cout),
    out: output((a) => a.n * a.h * a.w * a.cout),
    n: count,
    h: count,
    w: count,
    cin: count,
    cout: count,
    kh: odd,
    kw: odd,
    slope: atLeast0,
  },
  conv2d_backward: {
    x: input((a) => a.n * a.h * a.w * a.cin),
    weight: input((a) => a.kh * a.kw * a.cin * a.cout),
    out: optional(input((a) => a.n * a.h * a.w * a.cout)),
    gradOut: input((a) => a.n * a.h * a.w * a.cout),
    gradX: optional(output((a) => a.n * a.h * a.w * a.cin)),
    gradWeight: optional(output((a) => a.kh * a.kw * a.cin * a.cout)),
    n: count,
    h: count,
    w: count,
    cin: count,
    cout: count,
    kh: odd,
    kw: odd,
    slope: atLeast0,
  },
  batch_norm: {
    x: input((a) => a.rows * a.c),
    gamma: input((a) => a.c),
    beta: input((a) => a.c),
    runningMean: inout((a) => a.c),
    runningVar: inout((a) => a.c),
    out: output((a) => a.rows * a.c),
    savedMean: output((a) => a.c),
    savedInvStd: output((a) => a.c),
    rows: count,
    c: count,
    training: flag,
    eps: atLeast0,
    momentum: fraction,
  },
  batch_norm_backward: {
    x: input((a) => a.rows * a.c),
    gamma: input((a) => a.c),
    savedMean: input((a) => a.c),
    savedInvStd: input((a) => a.c),
    gradOut: input((a) => a.rows * a.c),
    gradX: optional(output((a) => a.rows * a.c)),
    gradGamma: output((a) => a.c),
    gradBeta: output((a) => a.c),
    rows: count,
    c: count,
    training: flag,
  },
  leaky_relu: {
    x: input((a) => a.x.length),
    out: output((a) => a.x.length),
    slope: atLeast0,
  },
  leaky_relu_backward: {
    out: input((a) => a.out.length),
    gradOut: input((a) => a.out.length),
    gradX: output((a) => a.out.length),
    slope: atLeast0,
  },
  lp_pool: {
    x: input((a) => a.n * a.h * a.w * a.c),
    out: output((a) => a.n * floor(a.h / a.kh) * floor(a.w / a.kw) * a.c),
    n: count,
    h: count,
    w: count,
    c: count,
    kh: extent,
    kw: extent,
    p: power,
  },
  lp_pool_backward: {
    x: input((a) => a.n * a.h * a.w * a.c),
    out: input((a) => a.n * floor(a.h / a.kh) * floor(a.w / a.kw) * a.c),
    gradOut: input((a) => a.n * floor(a.h / a.kh) * floor(a.w / a.kw) * a.c),
    gradX: output((a) => a.n * a.h * a.w * a.c),
    n: count,
    h: count,
    w: count,
    c: count,
    kh: extent,
    kw: extent,
    p: power,
  },
  dropout: {
    x: input((a) => a.x.length),
    out: output((a) => a.x.length),
    seedLow: word,
    seedHigh: word,
    offsetLow: word,
    offsetHigh: word,
    rate: share,
  },
  gru: {
    x: input((a) => a.n * a.t * a.in),
    wIh: input((a) => a.directions * 3 * a.hidden * a.in),
    wHh: input((a) => a.directions * 3 * a.hidden * a.hidden),
    bIh: input((a) => a.directions * 3 * a.hidden),
    bHh: input((a) => a.directions * 3 * a.hidden),
    out: output((a) => a.n * a.t * a.directions * a.hidden),
    saved: output((a) => a.directions * a.n * a.t * 4 * a.hidden),
    n: count,
    t: count,
    in: count,
    hidden: count,
    directions: oneOf(1, 2),
  },
  gru_backward: {
    x: input((a) => a.n * a.t * a.in),
    wIh: input((a) => a.directions * 3 * a.hidden * a.in),
    wHh: input((a) => a.directions * 3 * a.hidden * a.hidden),
    bHh: input((a) => a.directions * 3 * a.hidden),
    out: input((a) => a.n * a.t * a.directions * a.hidden),
    saved: input((a) => a.directions * a.n * a.t * 4 * a.hidden),
    gradOut: input((a) => a.n * a.t * a.directions * a.hidden),
    gradX: optional(output((a) => a.n * a.t * a.in)),
    gradWIh: output((a) => a.directions * 3 * a.hidden * a.in),
    gradWHh: output((a) => a.directions * 3 * a.hidden * a.hidden),
    gradBIh: output((a) => a.directions * 3 * a.hidden),
    gradBHh: output((a) => a.directions * 3 * a.hidden),
    n: count,
    t: count,
    in: count,
    hidden: count,
    directions: oneOf(1, 2),
  },
  interpolate: {
    x: input((a) => a.n * a.l * a.c),
    out: output((a) => a.n * a.t * a.c),
    n: count,
    l: count,
    t: count,
    c: count,
  },
  interpolate_backward: {
    gradOut: input((a) => a.n * a.t * a.c),
    gradX: output((a) => a.n * a.l * a.c),
    n: count,
    l: count,
    t: count,
    c: count,
  },
  embedding: {
    table: input((a) => a.vocabulary * a.d),
    tokens: integers((a) => a.count),
    out: output((a) => a.count * a.d),
    vocabulary: count,
    count: count,
    d: count,
  },
  embedding_backward: {
    tokens: integers((a) => a.count),
    gradOut: input((a) => a.count * a.d),
    gradTable: output((a) => a.vocabulary * a.d),
    vocabulary: count,
    count: count,
    d: count,
  },
  masked_mean: {
    x: input((a) => a.n * a.t * a.c),
    lengths: integers((a) => a.n),
    out: output((a) => a.n * a.c),
    n: count,
    t: count,
    c: count,
  },
  masked_mean_backward: {
    gradOut: input((a) => a.n * a.c),
    lengths: integers((a) => a.n),
    gradX: output((a) => a.n * a.t * a.c),
    n: count,
    t: count,
    c: count,
  },
  add: {
    a: input((a) => a.a.length),
    b: input((a) => a.a.length),
    out: output((a) => a.a.length),
    alpha: real,
    beta: real,
  },
  scale: {
    x: input((a) => a.x.length),
    out: output((a) => a.x.length),
    factor: real,
  },
  adam: {
    param: inout((a) => a.param.length),
    grad: input((a) => a.param.length),
    m: inout((a) => a.param.length),
    v: inout((a) => a.param.length),
    step: extent,
    decoupled: flag,
    lr: real,
    beta1: share,
    beta2: share,
    eps: atLeast0,
    weightDecay: atLeast0,
  },
  grad_norm: {
    x: input((a) => a.x.length),
    out: output(() => 1),
  },
}
