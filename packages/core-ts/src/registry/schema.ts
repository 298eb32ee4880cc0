/** A value of JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** What is said of every node. */
interface About {
  readonly description?: string
}

/** One value: keywords of JSON schema (2020-12). `format: 'path'` says that a text names a file or folder. */
export interface ValueSchema extends About {
  readonly type?: JsonType | readonly JsonType[]
  readonly enum?: readonly Json[]
  readonly const?: Json
  readonly anyOf?: readonly ValueSchema[]
  readonly items?: ValueSchema
  readonly format?: 'path'
  readonly default?: Json
  readonly [keyword: string]: unknown
}

type JsonType = 'string' | 'number' | 'integer' | 'boolean' | 'null' | 'array' | 'object'

/** One part of a family, as `{ type: name, …its keys }`; a name alone stands for `{ type: name }`. */
export interface PartSchema extends About {
  /** Name of the family. */
  readonly family: string
  readonly default?: Json
}

/** Several parts of a family. */
export interface PartsSchema extends About {
  readonly type: 'array'
  readonly items: PartSchema
  readonly default?: readonly Json[]
}

/** Several groups of the same keys. */
export interface GroupsSchema extends About {
  readonly type: 'array'
  readonly items: GroupSchema
  readonly default?: readonly Json[]
}

/** Keys that belong together. */
export interface GroupSchema extends About {
  readonly properties: Properties
  /** Keys that must be given; the others may be left out, with or without a default. */
  readonly required?: readonly string[]
}

/** What a key of a configuration may hold. */
export type Schema = ValueSchema | PartSchema | PartsSchema | GroupsSchema | GroupSchema
/** The keys of a group, with what each may hold. */
export type Properties = Readonly<Record<string, Schema>>

/** The configuration of one part. */
export interface PartConfig {
  readonly type: string
  readonly [key: string]: unknown
}

export const isPart = (schema: Schema): schema is PartSchema => 'family' in schema
export const isParts = (schema: Schema): schema is PartsSchema => hasItems(schema) && 'family' in schema.items
export const isGroups = (schema: Schema): schema is GroupsSchema =>
  hasItems(schema) && 'properties' in schema.items
export const isGroup = (schema: Schema): schema is GroupSchema => 'properties' in schema

function hasItems(schema: Schema): schema is Schema & { items: object } {
  return 'items' in schema && typeof schema.items === 'object' && schema.items !== null
}

/** What a checked configuration of a schema is: keys that must be given or have a default are there. */
export type ConfigOf<S> = S extends { readonly properties: infer P }
  ? { readonly [K in Present<S> & keyof P]: Value<P[K]> } & {
      readonly [K in Exclude<keyof P, Present<S>>]?: Value<P[K]>
    }
  : never

type Present<S> =
  | (S extends { readonly required: readonly (infer K)[] } ? K : never)
  | (S extends { readonly properties: infer P }
      ? {
          [K in keyof P]: P[K] extends { readonly default: unknown } | { readonly properties: object }
            ? K
            : never
        }[keyof P]
      : never)

interface Primitive {
  string: string
  number: number
  integer: number
  boolean: boolean
  null: null
  array: readonly unknown[]
  object: Readonly<Record<string, unknown>>
}

type Value<S> = S extends { readonly family: string }
  ? PartConfig
  : S extends { readonly properties: object }
    ? ConfigOf<S>
    : S extends { readonly const: infer C }
      ? C
      : S extends { readonly enum: readonly (infer V)[] }
        ? V
        : S extends { readonly anyOf: readonly (infer O)[] }
          ? Value<O>
          : S extends { readonly type: 'array'; readonly items: infer I }
            ? readonly Value<I>[]
            : S extends { readonly type: infer T }
              ? Primitive[(T extends readonly (infer U)[] ? U : T) & keyof Primitive]
              : unknown
