/** The file format of checkpoints; it lives in base, as indexes use it too. */
export * from '../base/safetensors.js'
