import { type AnyOpCase, aroundWidths, blank, type OpCase, oracle, rounded } from './op-case.js'

interface GemmShape {
  m: number
  n: number
  k: number
  transA?: number
  transB?: number
  alpha?: number
  beta?: number
  bias?: boolean
  slope?: number
  scale?: number
}

function gemm(what: string, shape: GemmShape): OpCase<'gemm'> {
  const { m, n, k, transA = 0, transB = 0, alpha = 1, beta = 0, bias = false, slope = 1, scale = 1 } = shape
  return {
    op: 'gemm',
    name: `${m}×${n}×${k} ${what}`,
    args: (draw) => ({
      a: draw.normal(m * k, scale),
      b: draw.normal(k * n, scale),
      bias: bias ? draw.normal(n) : null,
      out: beta === 0 ? blank(m * n) : draw.normal(m * n),
      ...{ m, n, k, transA, transB, alpha, beta, slope },
    }),
  }
}

const transposes = [0, 1].flatMap((transA) => [0, 1].map((transB) => ({ transA, transB })))

const gemmCases = [
  ...aroundWidths.flatMap((size) => [
    gemm('rows', { m: size, n: 5, k: 6 }),
    gemm('columns', { m: 5, n: size, k: 6, transB: 1 }),
    gemm('depth', { m: 5, n: 6, k: size, transA: 1 }),
    gemm('with everything', { m: size, n: size, k: size, alpha: 0.7, beta: -1.3, bias: true, slope: 0.1 }),
  ]),
  ...transposes.flatMap((t) => [
    gemm(`transposes ${t.transA}${t.transB}`, { m: 33, n: 17, k: 31, ...t }),
    gemm(`beyond one block, transposes ${t.transA}${t.transB}`, { m: 150, n: 210, k: 530, ...t, bias: true }),
  ]),
  ...transposes.flatMap((t) =>
    [1, 2, 3, 4].flatMap((few) => [
      gemm(`few rows, transposes ${t.transA}${t.transB}`, {
        m: few,
        n: 300,
        k: 70,
        ...t,
        bias: true,
        beta: 0.5,
      }),
      gemm(`few columns, transposes ${t.transA}${t.transB}`, {
        ...{ m: 300, n: few, k: 70, ...t },
        ...{ bias: true, alpha: -0.3, slope: 0.2 },
      }),
    ]),
  ),
  gemm('beyond one slab of columns', { m: 40, n: 1100, k: 40, bias: true, slope: 0.1 }),
  gemm('three blocks deep', { m: 33, n: 65, k: 1200, beta: 0.5, bias: true, slope: 0 }),
  gemm('outer product', { m: 70, n: 50, k: 1 }),
  gemm('ReLU', { m: 20, n: 20, k: 20, slope: 0 }),
  gemm('alpha 0 keeps beta', { m: 9, n: 9, k: 9, alpha: 0, beta: 2 }),
  gemm('large values', { m: 17, n: 17, k: 17, scale: 1e15 }),
  gemm('small values', { m: 17, n: 17, k: 17, scale: 1e-15 }),
]

interface BatchShape {
  batch: number
  m: number
  n: number
  k: number
  transA?: number
  transB?: number
  alpha?: number
}

function batchedGemm(what: string, shape: BatchShape): OpCase<'batched_gemm'> {
  const { batch, m, n, k, transA = 0, transB = 0, alpha = 1 } = shape
  return {
    op: 'batched_gemm',
    name: `${batch} × ${m}×${n}×${k} ${what}`,
    args: (draw) => ({
      ...{ a: draw.normal(batch * m * k), b: draw.normal(batch * k * n), out: blank(batch * m * n) },
      ...{ batch, m, n, k, transA, transB, alpha },
    }),
  }
}

const batchedGemmCases = [
  ...aroundWidths.flatMap((size) => [
    batchedGemm('batch', { batch: size, m: 2, n: 3, k: 4 }),
    batchedGemm('rows', { batch: 2, m: size, n: 3, k: 5, transA: 1 }),
    batchedGemm('columns', { batch: 2, m: 3, n: size, k: 5, transB: 1, alpha: -0.5 }),
    batchedGemm('depth', { batch: 2, m: 3, n: 4, k: size }),
  ]),
  ...transposes.flatMap((t) => [
    batchedGemm(`transposes ${t.transA}${t.transB}`, { batch: 3, m: 33, n: 17, k: 31, ...t }),
    batchedGemm(`beyond one block, transposes ${t.transA}${t.transB}`, {
      ...{ batch: 2, m: 130, n: 150, k: 300, ...t },
    }),
  ]),
]

function l2Normalize(
  what: string,
  rows: number,
  cols: number,
  scale = 1,
  eps = 1e-12,
): OpCase<'l2_normalize'> {
  return {
    op: 'l2_normalize',
    name: `${rows}×${cols} ${what}`,
    args: (draw) => ({
      x: draw.normal(rows * cols, scale),
      out: blank(rows * cols),
      norms: blank(rows),
      rows,
      cols,
      eps,
    }),
    smooth: scale === 1,
  }
}

function l2NormalizeBackward(
  what: string,
  rows: number,
  cols: number,
  eps = 1e-12,
): OpCase<'l2_normalize_backward'> {
  return {
    op: 'l2_normalize_backward',
    name: `${rows}×${cols} ${what}`,
    args: (draw) => {
      const out = blank(rows * cols)
      const norms = blank(rows)
      oracle.run('l2_normalize', { x: draw.normal(rows * cols), out, norms, rows, cols, eps })
      const gradOut = draw.normal(rows * cols)
      return { out: rounded(out), norms: rounded(norms), gradOut, gradX: blank(rows * cols), rows, cols, eps }
    },
  }
}

const normalizeCases: AnyOpCase[] = [
  ...aroundWidths.flatMap((size) => [
    l2Normalize('columns', 3, size),
    l2Normalize('rows', size, 5),
    l2NormalizeBackward('columns', 3, size),
    l2NormalizeBackward('rows', size, 5),
  ]),
  l2Normalize('many', 1000, 300),
  l2NormalizeBackward('many', 1000, 300),
  l2Normalize('zero rows stay zero', 4, 9, 0),
  l2Normalize('below eps', 4, 9, 1, 100),
  l2NormalizeBackward('below eps', 4, 9, 100),
  l2Normalize('large values', 4, 9, 1e15),
  l2Normalize('small values', 4, 9, 1e-8),
  l2Normalize('squares beyond the largest float', 4, 40, 1e25),
  l2Normalize('squares below the smallest float', 4, 40, 1e-24, 1e-35),
]

function similarity(
  what: string,
  batch: number,
  n: number,
  m: number,
  d: number,
  scale = 1,
): OpCase<'similarity'> {
  return {
    op: 'similarity',
    name: `${batch}×${n}×${m}×${d} ${what}`,
    args: (draw) => ({
      a: draw.normal(batch * n * d),
      b: draw.normal(batch * m * d),
      out: blank(batch * n * m),
      ...{ batch, n, m, d, scale },
    }),
  }
}

const similarityCases = [
  ...aroundWidths.flatMap((size) => [
    similarity('batch', size, 2, 3, 4),
    similarity('rows', 2, size, 3, 5, 20),
    similarity('columns', 2, 3, size, 5),
    similarity('depth', 2, 3, 4, size),
    similarity('square', 1, size, size, size, -0.5),
  ]),
  similarity('beyond one block', 2, 130, 150, 300),
  similarity('small and deep', 3, 6, 7, 700),
]

export const denseCases: readonly AnyOpCase[] = [
  ...gemmCases,
  ...batchedGemmCases,
  ...normalizeCases,
  ...similarityCases,
]
