/** Numbers JavaScript can see. Float64Array is accepted by the reference backend only, for gradient checks. */
export type HostArray = Float32Array | Float64Array

/** Memory of a device that JavaScript cannot touch except through `Memory.upload` and `Memory.download`. */
export interface DeviceBuffer {
  readonly device: string
  /** Number of float32 elements. */
  readonly length: number
}

/** Memory of floats: an array on the host, or a handle of a device's memory. */
export type FloatBuffer = HostArray | DeviceBuffer

/** Whether a value has the look of a buffer on a device; only its device knows whether it is one. */
export function isHandle(buffer: unknown): buffer is DeviceBuffer {
  if (typeof buffer !== 'object' || buffer === null || ArrayBuffer.isView(buffer)) return false
  const { device, length } = buffer as Partial<DeviceBuffer>
  return typeof device === 'string' && Number.isInteger(length) && length! >= 0
}
