// Clips of two sounds each, and vectors in which both can be heard: data that training works on within a second.
import { Batches, matrix, Rng, tokenize, Vocabulary } from '@sonotext/core'
const sounds = ['dog', 'rain', 'clock', 'engine', 'bird', 'bell']
const clipsOf = (take) =>
  sounds.flatMap((a, i) =>
    sounds.slice(i + 1).map((b) => {
      const id = `${a}-${b}-${take}`
      return { id, audio: `${id}.wav`, captions: [{ id: `${id}#1`, text: `a ${a} and a ${b}` }] }
    }),
  )
const features = async ({ id }) => {
  const [a, b] = id.split('-').map((sound) => new Rng(0, sound))
  const noise = new Rng(1, id)
  const heard = Float32Array.from({ length: 12 }, () => a.normal() + b.normal() + 0.3 * noise.normal())
  return { features: matrix(1, 12, heard), frameStep: 1, duration: 1 }
}
export const vocabulary = Vocabulary.build(clipsOf(1).map(({ captions }) => tokenize(captions[0].text)))
const encode = ({ text }) => vocabulary.encode(tokenize(text))
export const batchesOf = (takes, options) =>
  new Batches({ clips: takes.flatMap(clipsOf), features, encode, batchSize: 8, seed: 17, ...options })
