import type { AnyKernelRow } from '../rows/kernel-rows.js'

/** Calls of ops as bytes that the program `instructions` reads (native/bench/call_file.hpp states the format). */
export function callFile(rows: readonly AnyKernelRow[], nameOf: (row: AnyKernelRow) => string): Uint8Array {
  const parts: Uint8Array[] = []
  const line = (text: string): void => void parts.push(new TextEncoder().encode(`${text}\n`))
  for (const row of rows) {
    line(`call ${row.op} ${nameOf(row)}`)
    for (const [name, value] of Object.entries<unknown>({ ...row.args })) {
      if (typeof value === 'number') {
        line(`${Number.isInteger(value) ? 'integer' : 'number'} ${name} ${value}`)
      } else if (
        value instanceof Float32Array ||
        value instanceof Int32Array ||
        value instanceof Uint8Array
      ) {
        const kind =
          value instanceof Float32Array ? 'floats' : value instanceof Int32Array ? 'integers' : 'bytes'
        line(`${kind} ${name} ${value.length}`)
        parts.push(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
        line('')
      }
    }
    line('end')
  }
  return Buffer.concat(parts)
}
