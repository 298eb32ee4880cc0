/** What a new project does first: a backend, features of a sound, a hard negative's loss and its gradient. Prints one line. */
export const anEngineInTenLines = `import { createIndex, logMel, openBackend } from '@sonotext/core'

const backend = openBackend()
const sound = Float32Array.from({ length: 44100 }, (_, i) => Math.sin(i / 20))
const frames = await logMel('thesis', { sampleRate: 44100 }).compute(sound)
const index = createIndex({ dim: frames.cols })
await index.add(frames.data, Array.from({ length: frames.rows }, (_, i) => \`frame \${i}\`))
const hits = await index.search(frames.data.subarray(0, frames.cols), { k: 1 })
console.log(backend.info.device, frames.rows, 'x', frames.cols, JSON.stringify(hits[0]).slice(0, 60))
`

/** An ES module's text as CommonJS: imports become require, the rest stands in an async function. */
export function commonJsOf(text) {
  const imports = [...text.matchAll(/^import (\{[^}]*\}) from ('[^']*')\n/gm)]
  const rest = text.replace(/^import .*\n/gm, '')
  const required = imports.map(([, names, from]) => `const ${names} = require(${from})`)
  return `${required.join('\n')}\nasync function main() {\n${rest}}\nmain().catch((error) => { console.error(error); process.exit(1) })\n`
}
