export {
  proceduralBank,
  type PickedSound,
  type PickOptions,
  type ProceduralBankOptions,
  type SoundBank,
} from './bank.js'
export { composeScenes, type ComposeOptions, type ComposeProgress, type Composition } from './composer.js'
export { folderBank, type FolderBankOptions } from './folder-bank.js'
export type { FolderClipsOptions, LabelColumns } from './folder-clips.js'
export {
  captionScene,
  type CaptionOptions,
  type DescribedGroup,
  type SceneCaption,
  type SceneDescription,
} from './grammar.js'
export {
  canonicalLabel,
  knownLabels,
  lexemeOf,
  type Clause,
  type Lexeme,
  type Lexicon,
  type LexiconEntry,
  type NounPhrase,
} from './lexicon.js'
export { type SceneOptions } from './sketch.js'
export { proceduralLabels, synthesize, type SynthesizeOptions } from './sound-bank.js'
