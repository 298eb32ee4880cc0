import type { DeviceBuffer, HostArray, OpArgs, OpName } from '../port.js'

/** An op's arguments once {@link checkArgs} has seen that every float buffer is an array. */
export type HostArgs<K extends OpName> = { [P in keyof OpArgs[K]]: Exclude<OpArgs[K][P], DeviceBuffer> }

/** Row `index` of rows of `width` elements, as a view. */
export function rowOf(array: HostArray, index: number, width: number): HostArray {
  return array.subarray(index * width, (index + 1) * width)
}

/** Inner product in float64. */
export function dot(a: HostArray, b: HostArray): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
