import { pathToFileURL } from 'node:url'
import { signatures } from '@sonotext/core/backend'
import type { Addon, NativeArgs, OpName } from '@sonotext/native-cuda'
import type { Run } from '../harness/pairs.js'
import { everyOpRows } from '../rows/every-op.js'
import { CheckError } from './check-error.js'
import { timedScenarios, type Running } from './scenarios.js'
import type { Side } from './side.js'

/** One thing that both builds do. */
export interface TimedSubject {
  readonly name: string
  readonly key: string
  readonly threads: number
  /** Which clock tells its time: that of the calling thread, of the whole process, or the wall's. */
  readonly clock: 'thread' | 'process' | 'wall'
  /** Prepares it in one build; throws what keeps it from being judged. */
  readonly make: (side: Side) => Promise<Running>
}

/** Whether a list of names of ops, scenarios, own functions or single subjects names this one; null names all. */
export const named = (
  only: readonly string[] | null,
  { key, name }: Pick<TimedSubject, 'key' | 'name'>,
): boolean => only === null || only.includes(key) || only.includes(name)

/** Every op on one and two threads, on the same memory for both builds, as far as `only` names it. */
export async function kernelSubjects(
  sides: readonly Side[],
  only: readonly string[] | null,
): Promise<TimedSubject[]> {
  const ops = Object.keys(signatures) as OpName[]
  // Rows take seconds to draw. The name of a single subject begins with that of its op.
  if (only !== null && !only.some((one) => ops.some((op) => one === op || one.startsWith(`${op} `))))
    return []
  const without = sides.find(({ addon }) => addon === null)
  if (without !== undefined) return [impossible('the kernels', `${without.name} has no native addon`)]
  const statements = sides.map(({ addon }) => new Map(addon?.ops().map((op) => [op.name, op.args])))
  const subjects: TimedSubject[] = []
  for (const row of await everyOpRows()) {
    for (const threads of [1, 2]) {
      const name = `${row.op} ${row.shape}, ${threads === 1 ? 'one thread' : 'two threads'}`
      if (!named(only, { key: row.op, name })) continue
      subjects.push({
        ...{ name, key: row.op, threads, clock: threads === 1 ? 'thread' : 'wall' },
        make({ addon, name: side }) {
          if (addon === null) throw new CheckError(`${side} has no native addon`)
          const [now, before] = statements.map((ops) => ops.get(row.op))
          if (now === undefined || before === undefined)
            throw new CheckError('only one of the two has this op')
          const different = otherArguments(now, before, { ...row.args })
          if (different !== null) throw new CheckError(different)
          const device = addon.openDevice('cpu', null)
          const args = statedArguments(addon, row.op, row.args) as NativeArgs<OpName>
          return Promise.resolve({ run: () => addon.run(device, row.op, args) })
        },
      })
    }
  }
  return subjects
}

type Statement = ReturnType<Addon['ops']>[number]['args']

/**
 * Why one call is not the same work for two builds that state an op's arguments; null where it is. An argument that this build has added
 * may be there if the call gives it 0 or no buffer, which is how an op is told to do what it did before.
 */
export function otherArguments(
  now: Statement,
  before: Statement,
  call: Readonly<Record<string, unknown>>,
): string | null {
  const known = new Map(before.map((argument) => [argument.name, JSON.stringify(argument)]))
  const changed = now.filter((argument) => (known.get(argument.name) ?? '') !== JSON.stringify(argument))
  const gone = before.filter(({ name }) => !now.some((argument) => argument.name === name))
  const others = changed.filter(({ name }) => known.has(name) || (call[name] ?? 0) !== 0)
  const names = [...gone, ...others].map(({ name }) => name)
  return names.length === 0 ? null : `its arguments are not those of the other build (${names.join(', ')})`
}

/** Of the arguments of a call those that a build states: it refuses others, even where they are 0 or no buffer. */
function statedArguments(
  addon: Pick<Addon, 'ops'>,
  op: OpName,
  call: object,
): Readonly<Record<string, unknown>> {
  const stated = new Set(
    addon
      .ops()
      .find(({ name }) => name === op)
      ?.args.map(({ name }) => name),
  )
  return Object.fromEntries(Object.entries(call).filter(([name]) => stated.has(name)))
}

function impossible(name: string, why: string): TimedSubject {
  const make = (): never => {
    throw new CheckError(why)
  }
  return { name, key: name, threads: 1, clock: 'wall', make }
}

/** What the product does from end to end, on one thread. */
export function scenarioSubjects(): TimedSubject[] {
  return timedScenarios.map(({ name: key, what, make }) => ({
    ...{ name: `${key}: ${what}`, key, threads: 1, clock: 'process' },
    async make({ core, all, addon, name }) {
      // The reference would take minutes, and nobody asks how fast it is.
      if (addon === null) throw new CheckError(`${name} has no native addon`)
      return make(core, all.openBackend({ threads: 1 }))
    },
  }))
}

/** What an own function gets of the version it is to use. */
export interface OwnContext {
  /** Everything that `@sonotext/core` exports. */
  readonly core: Side['all']
  /** `load('@sonotext/core/text')`: a folder of that version. */
  readonly load: (specifier: string) => Promise<unknown>
  readonly version: string
}

/** A named function of the project's file: prepares its work with one version and returns what is run again and again. */
export type OwnFunction = (context: OwnContext) => Run | Promise<Run>

/** The functions that a project's file exports, by name. */
export async function ownFunctions(file: string): Promise<ReadonlyMap<string, OwnFunction>> {
  const module = (await import(pathToFileURL(file).href)) as Record<string, unknown>
  const functions = Object.entries(module).filter((entry): entry is [string, OwnFunction] => {
    return entry[0] !== 'default' && typeof entry[1] === 'function'
  })
  if (functions.length === 0) throw new CheckError(`${file} exports no named function.`)
  return new Map(functions)
}

export function ownSubjects(functions: ReadonlyMap<string, OwnFunction>): TimedSubject[] {
  return [...functions].map(([name, prepare]) => ({
    ...{ name, key: name, threads: 1, clock: 'process' },
    async make({ all, folder, version }) {
      const load = (specifier: string): Promise<unknown> => {
        const at = /^@sonotext\/core\/?(.*)$/.exec(specifier)?.[1]
        if (at === undefined) return import(specifier)
        return import(pathToFileURL(`${folder}/dist/${at === '' ? '' : `${at}/`}index.js`).href)
      }
      const run: unknown = await prepare({ core: all, load, version })
      if (typeof run !== 'function') {
        throw new CheckError(`expected a function from ${name}(): it is what is timed`)
      }
      return { run: run as Run }
    },
  }))
}

/** Sets the pools of both builds. */
export function setThreads(addons: readonly (Addon | null)[], threads: number): void {
  for (const addon of addons) if (addon !== null && addon.threads() !== threads) addon.setThreads(threads)
}
