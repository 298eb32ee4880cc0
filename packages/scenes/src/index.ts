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
export { captionScene, type CaptionOptions, type SceneCaption } from './grammar.js'
export type { Clause, Lexeme, Lexicon, LexiconEntry, NounPhrase } from './lexeme.js'
export { canonicalLabel, knownLabels, lexemeOf } from './lexicon.js'
export type { DescribedGroup, SceneDescription } from './scene-description.js'
export { type SceneOptions } from './sketch.js'
export { proceduralLabels, synthesize, type SynthesizeOptions } from './sound-bank.js'
