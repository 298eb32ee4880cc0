import { SonotextError } from '../base/errors.js'
import type { GroupSchema } from './schema.js'

/** What is to be known of a family to read a configuration of it. */
export interface FamilyFacts {
  readonly name: string
  readonly names: readonly string[]
  has(name: string): boolean
  /** One sentence about a part. */
  describe(name: string): string
  /** The keys of a part. */
  schemaOf(name: string): GroupSchema
  /** What is said of a name that is none. */
  unknown(name: unknown, key: string): string
  register(part: unknown): void
}

/** Every family by its name, for nodes `{ family: name }` of schemas and for plugins. */
const families = new Map<string, FamilyFacts>()

export function enterFamily(family: FamilyFacts): void {
  families.set(family.name, family)
}

/** The family of that name. Throws INVALID_ARGUMENT listing those there are. */
export function familyNamed(name: string): FamilyFacts {
  const family = families.get(name)
  if (family !== undefined) return family
  throw new SonotextError(
    'INVALID_ARGUMENT',
    `Expected one of ${[...families.keys()].join(', ')} for the name of a family, got "${name}".`,
  )
}
