export { buildGuards, buildModel, type BuildModelOptions, buildYardsticks } from './build.js'
export {
  changedKeys,
  configJsonSchema,
  configKeys,
  families,
  parseConfig,
  type ParseConfigOptions,
  type RunConfig,
  setKeys,
  validationNumbers,
  valueAt,
} from './config.js'
export { upgraded } from './config-0.1.js'
export { type ConfigKey, loadPlugins } from '../registry/index.js'
