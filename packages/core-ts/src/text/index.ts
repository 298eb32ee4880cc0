export { type CaptionOrder, neighbouringCaptions } from './caption-order.js'
export {
  type CaptionRuleName,
  captionRuleNames,
  captionsByRule,
  type CaptionWriter,
  type WrittenText,
} from './caption-rules.js'
export { concatenatedTower } from './concatenated-tower.js'
export * from './embedding-table.js'
export { functionWords } from './function-words.js'
export * from './phrases/index.js'
export { latentSemantics, type LsaOptions, TermVectors, weightedWords } from './term-vectors.js'
export { type TermKind, termKinds, termsOf } from './terms.js'
export { embedKept } from './kept-sentences.js'
export { onnxTower, type OnnxTowerOptions } from './onnx-tower.js'
export { openTokenizer, type SentenceTokenizer } from './sentence-tokenizer.js'
export type { Sentence, SentenceTower } from './sentence-tower.js'
export * from './tokenize.js'
export { mostDimensions } from './truncated-svd.js'
export { useTower } from './use-tower.js'
export * from './train-word-vectors.js'
export * from './vocabulary.js'
export type { WordVectorFormat } from './word-vectors-format.js'
export {
  type ReadWordVectorsOptions,
  readWordVectors,
  type WordVectors,
  writeWordVectors,
} from './word-vectors.js'
