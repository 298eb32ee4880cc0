import type { HostArgs } from './host.js'

export function copyColumns(args: HostArgs<'copy_columns'>): void {
  const { x, out, rows, xCols, outCols, from, to, width } = args
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < width; c++) out[r * outCols + to + c] = x[r * xCols + from + c]!
}
