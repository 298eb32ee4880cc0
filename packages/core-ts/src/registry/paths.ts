import { branchOf, isPlainObject } from './parse.js'
import { isGroup, isGroups, isPart, isParts, type Schema } from './schema.js'

/** A file or folder that a configuration names. */
export interface NamedPath {
  /** Dotted, as in `guards[0].file`. */
  readonly key: string
  readonly path: string
}

/** All that a configuration names with `format: 'path'`, in the parts it chooses too, in the order of the schema. */
export function pathsIn(schema: Schema, value: unknown, key = ''): NamedPath[] {
  if (value === undefined || value === null) return []
  if (isParts(schema) || isGroups(schema))
    return (Array.isArray(value) ? value : []).flatMap((one, i) => pathsIn(schema.items, one, `${key}[${i}]`))
  if (isPart(schema)) {
    const part = branchOf(schema, value)
    return part === undefined ? [] : pathsIn(part, value, key)
  }
  if (isGroup(schema))
    return Object.entries(schema.properties).flatMap(([name, child]) =>
      pathsIn(child, isPlainObject(value) ? value[name] : undefined, key === '' ? name : `${key}.${name}`),
    )
  return schema.format === 'path' && typeof value === 'string' ? [{ key, path: value }] : []
}
