export { type ConfigKey, jsonSchemaOf, keysOf } from './compose.js'
export { type AnyPart, Family, type NamedPart, partOf } from './family.js'
export { type FamilyFacts, familyNamed } from './families.js'
export { isPlainObject, parse, parseGroup, type Parsing, refuse, schemaAt } from './parse.js'
export { type NamedPath, pathsIn } from './paths.js'
export {
  isPluginLoaded,
  loadedPluginFiles,
  loadPlugins,
  type PluginHost,
  pluginName,
  resolvePlugin,
} from './plugins.js'
export type {
  ConfigOf,
  GroupSchema,
  GroupsSchema,
  Json,
  PartConfig,
  PartSchema,
  PartsSchema,
  Properties,
  Schema,
  ValueSchema,
} from './schema.js'
