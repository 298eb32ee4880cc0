export * from './abort.js'
export * from './errors.js'
export * from './files.js'
export * from './matrix.js'
<<<<<<< HEAD
export * from './nearest.js'
=======
export * from './nearest-word.js'
>>>>>>> eacb343 (Experiment configuration with schema, defaults and suggestions; skeleton of the command line)
export * from './rng.js'
export * from './text-file.js'
