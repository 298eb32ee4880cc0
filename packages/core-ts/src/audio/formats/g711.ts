import * as wavefile from 'wavefile'

/**
 * CommonJS that calls itself an ES module: an import has it as the default, `require` in the CommonJS twin as it is, and a bundler that takes its ES
 * module has none, and an error for who names one.
 */
const { WaveFile } = (Reflect.get(wavefile, 'default') as typeof wavefile | undefined) ?? wavefile

/** Samples of the 256 codes of G.711, in [-1, 1]. */
export function g711Table(law: 'mu-law' | 'a-law'): Float32Array {
  return (tables[law] ??= expandAll(law))
}

const tables: { 'mu-law'?: Float32Array; 'a-law'?: Float32Array } = {}

function expandAll(law: 'mu-law' | 'a-law'): Float32Array {
  const codes = Uint8Array.from({ length: 256 }, (_, code) => code)
  const wav = new WaveFile()
  wav.fromScratch(1, 8000, law === 'a-law' ? '8a' : '8m', codes)
  if (law === 'a-law') wav.fromALaw('16')
  else wav.fromMuLaw('16')
  const integers = wav.getSamples(false, Int16Array) as unknown as Int16Array
  return Float32Array.from(integers.subarray(0, 256), (sample) => sample / 32768)
}
