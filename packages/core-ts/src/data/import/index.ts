export * from './audiocaps.js'
export * from './clotho.js'
export * from './folder.js'
