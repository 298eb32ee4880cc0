/** What a new project does first: a backend, features of a sound, an index over them. Prints one line. */
export const anEngineInTenLines = `import { createIndex, logMel, openBackend } from '@sonotext/core'

const backend = openBackend()
const sound = Float32Array.from({ length: 44100 }, (_, i) => Math.sin(i / 20))
const frames = await logMel('thesis', { sampleRate: 44100 }).compute(sound)
const index = createIndex({ dim: frames.cols })
index.add(frames, Array.from({ length: frames.rows }, (_, i) => \`frame \${i}\`))
const first = { rows: 1, cols: frames.cols, data: frames.data.slice(0, frames.cols) }
const [[hit]] = await index.search(first, { k: 1 })
console.log(backend.info.device, frames.rows, 'x', frames.cols, hit.id)
`

/** An ES module's text as CommonJS: imports become require, the rest stands in an async function. */
export function commonJsOf(text) {
  const imports = [...text.matchAll(/^import (\{[^}]*\}) from ('[^']*')\n/gm)]
  const rest = text.replace(/^import .*\n/gm, '')
  const required = imports.map(([, names, from]) => `const ${names} = require(${from})`)
  return `${required.join('\n')}\nasync function main() {\n${rest}}\nmain().catch((error) => { console.error(error); process.exit(1) })\n`
}
