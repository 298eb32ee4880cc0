export { configKeys, type ExperimentConfig, experimentSchema, parseConfig, setKey } from './config.js'
