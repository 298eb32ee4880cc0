import { closeSync, openSync, readSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { isStandardOutput } from '@sonotext/core/base'
import { hasAudioEnding, hasForeignEnding } from '@sonotext/core/data'
import { UsageError } from './exit.js'

/** Options that name a file or folder to write, of any command. */
const outputOptions = ['out', 'duplicates', 'page', 'plot', 'markdown'] as const

/**
 * Throws UsageError, before anything is read or written, where an output is a recording or one of the command's own inputs (arguments
 * and other options), or where two outputs are one file. What a manifest or a folder names is refused by {@link refuseOverwriting}.
 */
export function checkOutputs(options: Readonly<Record<string, unknown>>, args: readonly unknown[]): void {
  const names: readonly string[] = outputOptions
  const inputs = Object.entries(options).flatMap(([name, value]) => (names.includes(name) ? [] : [value]))
  refuseOverwriting(options, textsOf([args, inputs]))
}

/** The same for inputs that are known only after a manifest, a table or a folder has been read. */
export function refuseOverwriting(options: object, inputs: Iterable<string>): void {
  const outputs = outputOptions.flatMap((name) => {
    const path = (options as Readonly<Record<string, unknown>>)[name]
    return typeof path === 'string' && !isDevice(path) ? [{ option: `--${name}`, path }] : []
  })
  if (outputs.length === 0) return
  const written = new Map<string, string>()
  for (const { option, path } of outputs) {
    if (isRecording(path))
      throw new UsageError(`${path} is a recording, which ${option} would replace: choose another name.`)
    const before = written.get(realPath(path))
    if (before !== undefined)
      throw new UsageError(`${before} and ${option} both name ${path}: choose another name for one.`)
    written.set(realPath(path), option)
  }
  for (const input of inputs) {
    const option = written.get(realPath(input))
    if (option !== undefined && isFile(input))
      throw new UsageError(`${input} is read, and ${option} would replace it: choose another name.`)
  }
}

/** What commands write, and what the text of such a file begins with. */
const kinds = {
  page: { what: 'a page', begins: /^\s*<!doctype html/i },
  manifest: { what: 'a manifest', begins: /^\s*\{/ },
  pairs: { what: 'pairs of clips', begins: /^clip,duplicate/ },
  relevance: { what: 'relevance', begins: /^query,item,relevance/ },
}

/** Throws UsageError where a file of another kind, which nobody means to lose, stands in the place of an output. */
export function refuseForeign(option: string, path: string | undefined, kind: keyof typeof kinds): void {
  const { what, begins } = kinds[kind]
  if (path !== undefined && isWritten(path) && !begins.test(headOf(path))) throw foreign(option, path, what)
}

/** Whether a file stands there with something in it. */
export function isWritten(path: string): boolean {
  return !isStandardOutput(path) && isFile(path) && infoOf(path)!.size > 0
}

/** What {@link refuseForeign} says. */
export function foreign(option: string, path: string, what: string): UsageError {
  return new UsageError(
    `${path} holds something other than ${what}, and ${option} would replace it: choose another name, or remove it.`,
  )
}

function headOf(path: string): string {
  const file = openSync(path, 'r')
  try {
    const bytes = new Uint8Array(256)
    return new TextDecoder().decode(bytes.subarray(0, readSync(file, bytes)))
  } finally {
    closeSync(file)
  }
}

function textsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(textsOf)
  return typeof value === 'string' && value !== '' ? [value] : []
}

function isRecording(path: string): boolean {
  return isFile(path) && (hasAudioEnding(path) || hasForeignEnding(path))
}

function isFile(path: string): boolean {
  return infoOf(path)?.isFile() ?? false
}

function isDevice(path: string): boolean {
  const info = infoOf(path)
  return info !== undefined && !info.isFile() && !info.isDirectory()
}

function infoOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    // What is wrong with it is said where it is used.
    return undefined
  }
}

/** Without links; of what is not there, its place in the real folder. */
function realPath(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    const whole = resolve(path)
    return dirname(whole) === whole ? whole : join(realPath(dirname(whole)), basename(whole))
  }
}
