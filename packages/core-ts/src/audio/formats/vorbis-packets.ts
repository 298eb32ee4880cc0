/** What the headers of a Vorbis stream say that matters for counting and checking. */
export interface VorbisHeaders {
  readonly sampleRate: number
  readonly channels: number
  /** Samples that come out for the next audio packet. Remembers the packet before: the first gives none. */
  readonly samplesOf: (packet: Uint8Array) => number
}

/**
 * Reads the identification header and, from its end backwards, the list of modes in the set-up header: they say how long the
 * block of each packet is. Undefined when they are none. (Vorbis I specification, 4.2 and 4.3.)
 */
export function vorbisHeaders(identification: Uint8Array, setup: Uint8Array): VorbisHeaders | undefined {
  if (identification.length < 30 || setup.length < 16 || identification[0] !== 1 || setup[0] !== 5)
    return undefined
  const view = new DataView(identification.buffer, identification.byteOffset, identification.byteLength)
  const sizes = [1 << (identification[28]! & 15), 1 << (identification[28]! >> 4)] as const
  if (sizes[0] < 64 || sizes[1] < sizes[0] || sizes[1] > 8192) return undefined
  const long = modesOf(setup)
  if (long === undefined) return undefined
  const modeBits = 32 - Math.clz32(long.length - 1)
  let before: number | undefined
  return {
    sampleRate: view.getUint32(12, true),
    channels: identification[11]!,
    samplesOf(packet) {
      if (packet.length === 0 || (packet[0]! & 1) !== 0) return 0
      const mode = (packet[0]! >> 1) & ((1 << modeBits) - 1)
      const size = long[mode] === true ? sizes[1] : sizes[0]
      const samples = before === undefined ? 0 : before / 4 + size / 4
      before = size
      return samples
    },
  }
}

/** Bits of one mode: block flag, window type, transform type, mapping. The last two types are always 0. */
const MODE_BITS = 1 + 16 + 16 + 8

/**
 * Whether each mode has long blocks. The modes end the header, with a framing bit behind them and their count in front: going
 * backwards, mode after mode has types of 0, and the count is the one that agrees with the number of modes behind it.
 */
function modesOf(setup: Uint8Array): boolean[] | undefined {
  const bit = (i: number) => (setup[i >> 3]! >> (i & 7)) & 1
  const number = (from: number, bits: number) => {
    let value = 0
    for (let i = bits - 1; i >= 0; i--) value = value * 2 + bit(from + i)
    return value
  }
  let end = setup.length * 8 - 1
  while (end > 0 && bit(end) === 0) end--
  let found: boolean[] | undefined
  const modes: boolean[] = []
  for (let at = end; modes.length < 64 && at - MODE_BITS - 6 > 56;) {
    at -= MODE_BITS
    if (number(at + 1, 16) !== 0 || number(at + 17, 16) !== 0 || number(at + 33, 8) >= 64) break
    modes.unshift(bit(at) === 1)
    // More than one place may fit: the longest list is the true one.
    if (number(at - 6, 6) === modes.length - 1) found = [...modes]
  }
  return found
}
