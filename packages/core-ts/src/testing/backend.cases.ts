import type { OpName } from '../backend/port.js'
import { convolutionCases } from './cases/convolution.js'
import { denseCases } from './cases/dense.js'
import { elementwiseCases } from './cases/elementwise.js'
import { featureCases } from './cases/features.js'
import { lossCases } from './cases/losses.js'
import { networkCases } from './cases/network.js'
import type { AnyOpCase } from './cases/op-case.js'
import { optimiserCases } from './cases/optimiser.js'
import { scoreCases } from './cases/scores.js'
import { layoutCases } from './cases/layout.js'
import { rowCases } from './cases/rows.js'
import { sequenceCases } from './cases/sequence.js'

/**
 * Every op on sizes 0, 1 and around the vector widths, beyond one block of work, and on values that break careless code.
 * One list for every backend: `checkCase(backend, case)` compares a run with the float64 reference.
 */
export const backendCases: readonly AnyOpCase[] = [
  ...featureCases,
  ...denseCases,
  ...scoreCases,
  ...lossCases,
  ...convolutionCases,
  ...networkCases,
  ...layoutCases,
  ...rowCases,
  ...sequenceCases,
  ...elementwiseCases,
  ...optimiserCases,
]

/** The cases of each op. */
export const casesByOp: ReadonlyMap<OpName, readonly AnyOpCase[]> = Map.groupBy(backendCases, ({ op }) => op)
