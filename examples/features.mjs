// Features of a recording: any format that is read, the front end of any preset, a safetensors file for other programs.
import { logMel, readMono, writeWav } from '@sonotext/core'
import { writeSafetensors } from '@sonotext/core/base'

await writeWav(
  'tone.wav',
  Float32Array.from({ length: 44_100 }, (_, i) => Math.sin(0.0627 * i) / 2),
  44_100,
)
const { samples, sampleRate } = await readMono('tone.wav')
const { rows, cols, data } = await logMel('thesis', { sampleRate }).compute(samples)
await writeSafetensors('tone.safetensors', new Map([['features', { shape: [rows, cols], data }]]))
const loudest = data.subarray(0, cols).reduce((best, x, band) => (x > data[best] ? band : best), 0)
console.log(`${rows} frames of ${cols} bands; the loudest is ${loudest}`)
