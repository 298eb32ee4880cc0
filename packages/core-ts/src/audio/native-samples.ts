import { nativeBackend } from '../backend/native.js'
import type { Backend } from '../backend/port.js'
import { isSonotextError } from '../base/errors.js'
import type { Interleaved, SampleReader } from './formats/format.js'

/** The CPU of the addon, opened when the first samples are read; null where the addon cannot be loaded. */
let cpu: Backend | null | undefined

/**
 * Reads samples by the op `pcm` on the CPU, wherever else features are computed: undefined where there is no addon, whose absence is for
 * {@link openBackend} to tell. The bits are those of TypeScript.
 */
export function nativeSamples({ channels, width, floats, bigEndian }: Interleaved): SampleReader | undefined {
  if (cpu === undefined) cpu = opened() // once, also where it is not there
  const backend = cpu
  if (backend === null) return undefined
  const layout = { channels, width, floats: Number(floats), bigEndian: Number(bigEndian) }
  const squares = new Float32Array(1)
  const isFinite = (samples: Float32Array): boolean => {
    backend.run('grad_norm', { x: samples, out: squares, slot: 0 })
    return Number.isFinite(squares[0]) // nor is the sum of large ones: then they are looked at one by one
  }
  return (bytes, rows, count) => {
    // Ops refuse memory that could go while they read it.
    const fixed = (bytes.buffer as ArrayBuffer).resizable ? new Uint8Array(bytes) : bytes
    for (const [r, out] of rows.entries()) {
      const place = { frames: out.length, first: r * count, rows: 1, count }
      backend.run('pcm', { bytes: fixed, out, ...layout, ...place })
    }
    return !floats || rows.every(isFinite)
  }
}

function opened(): Backend | null {
  try {
    return nativeBackend()
  } catch (error) {
    if (isSonotextError(error) && error.code === 'BACKEND_UNAVAILABLE') return null
    throw error
  }
}
