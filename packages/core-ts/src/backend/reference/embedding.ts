import { type HostArgs, rowOf } from './host.js'

export function embedding({ table, tokens, out, d }: HostArgs<'embedding'>): void {
  tokens.forEach((token, i) => rowOf(out, i, d).set(rowOf(table, token, d)))
}

export function embeddingBackward({ tokens, gradOut, gradTable, d }: HostArgs<'embedding_backward'>): void {
  const sums = new Float64Array(gradTable.length)
  tokens.forEach((token, i) => {
    for (let c = 0; c < d; c++) sums[token * d + c]! += gradOut[i * d + c]!
  })
  gradTable.set(sums)
}
