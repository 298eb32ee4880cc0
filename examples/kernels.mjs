import { loadAddon } from '@sonotext/native-cuda'

// The kernels alone, without the library above them: typed arrays in, typed arrays out, nothing is copied.
const addon = loadAddon() // throws an error that says what was tried and what to run
const cpu = addon.openDevice('cpu')
const a = Float32Array.from({ length: 4 * 8 }, (_, i) => i / 32)
const b = Float32Array.from({ length: 3 * 8 }, (_, i) => (i % 8 === 0 ? 1 : 0))
const out = new Float32Array(4 * 3)

// out[i][j] = a[i] · b[j], on this thread …
addon.run(cpu, 'similarity', { a, b, out, batch: 1, n: 4, m: 3, d: 8, scale: 1 })
console.log(...out)

// … or on the pool, with a token that stops it. What is not right is refused before anything runs.
const token = addon.createCancelToken()
await addon.runAsync(cpu, 'similarity', { a, b, out, batch: 1, n: 4, m: 3, d: 8, scale: 2 }, token)
console.log(...out)
try {
  addon.run(cpu, 'similarity', { a, b, out, batch: 1, n: 5, m: 3, d: 8, scale: 1 })
} catch (error) {
  console.log(error.code, error.message)
}
