import { SonotextError } from '../base/errors.js'
import { nearest } from '../base/nearest.js'
import { enterFamily, type FamilyFacts } from './families.js'
import { parsePart, refuse } from './parse.js'
import { pluginBeingLoaded } from './plugin-being-loaded.js'
import type { ConfigOf, GroupSchema, PartConfig } from './schema.js'

/** A part of a family in one value: its name, what it takes, and how it is made. */
export interface NamedPart<Built, Context = void, S extends GroupSchema = GroupSchema> {
  readonly name: string
  /** A sentence or two. */
  readonly description: string
  /** Its own keys with defaults and descriptions. */
  readonly schema: S
  /** `config` is checked and has every default. */
  fromConfig(config: ConfigOf<S>, context: Context): Built
}

/** A part among others of its family, whose keys differ. */
export interface AnyPart<Built, Context = void> extends Omit<NamedPart<Built, Context>, 'fromConfig'> {
  fromConfig(config: never, context: Context): Built
}

/** For a part in a file of its own: `partOf<Loss>()({ … })` infers the type of `config` from the schema. */
export function partOf<Built, Context = void, Extra extends object = object>() {
  return <const S extends GroupSchema>(
    part: NamedPart<Built, Context, S> & Extra,
  ): AnyPart<Built, Context> & Extra => part
}

/** Parts that do the same thing in different ways, by name; whoever uses the library may add to them. */
export class Family<Built, Context = void, Extra extends object = object> implements FamilyFacts {
  readonly name: string
  readonly #parts: Map<string, AnyPart<Built, Context> & Extra>
  /** Which plugin a part comes from. */
  readonly #plugins = new Map<string, string>()

  readonly #methods: readonly string[]
  readonly #check: (built: Built) => void

  /**
   * `methods`: what must be there of everything that is built, so that a part that builds something else is told by its name; `check` throws where
   * it is not as it should be otherwise.
   */
  constructor(
    name: string,
    parts: readonly (AnyPart<Built, Context> & Extra)[],
    {
      methods = [],
      check = () => {},
    }: { readonly methods?: readonly (string & keyof Built)[]; readonly check?: (built: Built) => void } = {},
  ) {
    this.name = name
    this.#methods = methods
    this.#check = check
    this.#parts = new Map(parts.map((part) => [part.name, part]))
    enterFamily(this as FamilyFacts)
  }

  get names(): readonly string[] {
    return [...this.#parts.keys()]
  }

  get parts(): readonly (AnyPart<Built, Context> & Extra)[] {
    return [...this.#parts.values()]
  }

  has(name: string): boolean {
    return this.#parts.has(name)
  }

  /** Adds a part. Throws INVALID_ARGUMENT when there is one of that name, or what is given is none. */
  register<const S extends GroupSchema>(part: NamedPart<Built, Context, S> & Extra): void {
    checkPart(this.name, part)
    const { name } = part
    if (this.#parts.has(name)) {
      const from = this.#plugins.get(name)
      throw new SonotextError(
        'INVALID_ARGUMENT',
        `Expected a new name for a part of the family ${this.name}, got "${name}", which is there already${from === undefined ? '' : ` (from ${from})`}.`,
        { remedy: 'Give it another name.' },
      )
    }
    this.#parts.set(name, part)
    const plugin = pluginBeingLoaded()
    if (plugin !== undefined) this.#plugins.set(name, plugin.name)
  }

  /** The plugin that a part comes from; undefined for parts of the library and for those registered in code. */
  pluginOf(name: string): string | undefined {
    return this.#plugins.get(name)
  }

  /**
   * The part of that name. Throws INVALID_CONFIG listing the names there are, or MISSING_DEPENDENCY where `plugin` says which one it
   * came from.
   */
  get(
    name: string,
    { plugin }: { readonly plugin?: string | undefined } = {},
  ): AnyPart<Built, Context> & Extra {
    const part = this.#parts.get(name)
    if (part !== undefined) return part
    if (plugin !== undefined) {
      throw new SonotextError(
        'MISSING_DEPENDENCY',
        `the part "${name}" of the family ${this.name} comes from the plugin ${plugin}, which is not loaded.`,
        { remedy: `Give it: --plugin ${plugin}, or in code the option plugins or loadPlugins().` },
      )
    }
    throw new SonotextError('INVALID_CONFIG', `${this.unknown(name, `${this.name}.type`)}.`)
  }

  describe(name: string): string {
    return this.get(name).description
  }

  unknown(name: unknown, key: string): string {
    const meant = typeof name === 'string' ? nearest(name, this.names) : undefined
    const suggestion = meant === undefined ? '' : ` (did you mean ${meant}?)`
    return `${key}: expected one of ${this.names.join(', ')}, got ${JSON.stringify(name)}${suggestion}`
  }

  schemaOf(name: string): GroupSchema {
    return this.get(name).schema
  }

  /**
   * Makes what a configuration describes: `{ type: name, …keys }`, or the name alone. Fills defaults. Throws INVALID_CONFIG naming every
   * key that is wrong.
   */
  build(config: string | PartConfig, context: Context): Built {
    const problems: string[] = []
    const { type, ...keys } = parsePart({ family: this.name }, config, this.name, { problems }) ?? {
      type: '',
    }
    refuse(problems)
    const built = this.get(type).fromConfig(keys as never, context)
    const missing = this.#methods.filter((method) => typeof (built as never)?.[method] !== 'function')
    if (missing.length === 0) {
      this.#check(built)
      return built
    }
    const plugin = this.#plugins.get(type)
    throw new SonotextError(
      'INVALID_ARGUMENT',
      `the part "${type}" of the family ${this.name}${plugin === undefined ? '' : ` (from ${plugin})`} gave something without ${missing.join(', ')}.`,
      { remedy: `fromConfig must return a whole ${this.name}, as its interface says.` },
    )
  }
}

function checkPart(family: string, part: unknown): void {
  const { name, description, schema, fromConfig } = (part ?? {}) as Partial<NamedPart<unknown>>
  const wrong = [
    ...(typeof name === 'string' && /^[A-Za-z][\w-]*$/.test(name) ? [] : ['name']),
    ...(typeof description === 'string' ? [] : ['description']),
    ...(typeof schema?.properties === 'object' && !Object.hasOwn(schema.properties, 'type')
      ? []
      : ['schema']),
    ...(typeof fromConfig === 'function' ? [] : ['fromConfig']),
  ]
  if (wrong.length === 0) return
  throw new SonotextError(
    'INVALID_ARGUMENT',
    `Expected { name, description, schema: { properties }, fromConfig } for a part of the family ${family}, got ${wrong.join(', ')} missing or wrong${typeof name === 'string' ? ` in "${name}"` : ''}.`,
    { remedy: 'A name is letters, digits, - and _; properties describe every key but type.' },
  )
}
