// What `sonotext bench check` times of a project of its own: every exported function by its name. A function gets one version of
// Sonotext, prepares its work, and returns what is run again and again, in turns with the same of the other version.
//
//   sonotext bench check --against 0.1.0 --functions examples/speed-check/sonotext.bench.mjs

/** Words of a caption, as a service reads them for every request. */
export function words_of_a_caption({ core }) {
  const caption = 'A dog barks twice while rain falls on a tin roof and somebody laughs'
  return () => {
    for (let i = 0; i < 200; i++) core.tokenize(caption)
  }
}

/** The ten best clips of a small collection for one query. */
export async function search_a_collection({ core }) {
  const [clips, dim] = [2000, 128]
  const unit = (rows) => {
    const data = Float32Array.from({ length: rows * dim }, (_, i) => Math.sin(i) / Math.sqrt(dim / 2))
    return core.matrix(rows, dim, data)
  }
  const ids = Array.from({ length: clips }, (_, i) => `clip-${i}`)
  const index = core.createIndex({ dim, backend: core.openBackend({ device: 'auto' }) }).add(unit(clips), ids)
  const query = unit(1)
  return () => index.search(query, { k: 10 })
}

/** A folder of the library is loaded by its name: here to encode and decode a second of sound. */
export async function wav_there_and_back({ load }) {
  const { encodeWav, decodeAudio } = await load('@sonotext/core/audio')
  const second = Float32Array.from({ length: 44_100 }, (_, i) => Math.sin(i / 20) / 2)
  return () => decodeAudio(encodeWav(second, 44_100).bytes)
}
