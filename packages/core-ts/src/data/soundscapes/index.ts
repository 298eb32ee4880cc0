export * from './grammar.js'
export * from './lexicon.js'
export * from './sound-bank.js'
