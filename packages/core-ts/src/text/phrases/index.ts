export {
  type CaptionPhrase,
  type CaptionPhrases,
  type CaptionRelation,
  type PhraseRules,
  splitPhrases,
} from './split-phrases.js'
