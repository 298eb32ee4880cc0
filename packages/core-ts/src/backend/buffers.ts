/** Numbers JavaScript can see. Float64Array is accepted by the reference backend only, for gradient checks. */
export type HostArray = Float32Array | Float64Array

/** Memory of a device that JavaScript cannot touch except through `Memory.upload` and `Memory.download`. */
export interface DeviceBuffer {
  readonly device: string
  /** Number of float32 elements. */
  readonly length: number
}

export type FloatBuffer = HostArray | DeviceBuffer
