import { folderBank, proceduralBank, type SoundBank } from '@sonotext/scenes'
import { decodePolicyOf, type DecodeFlags } from './decode-option.js'
import { UsageError } from './exit.js'

/** The options --bank, --csv, --activity and --folds. */
export interface BankOptions extends DecodeFlags {
  bank?: string
  csv?: string
  activity?: string
  folds?: string[]
}

/** The procedural bank, or a folder of labelled clips. */
export async function bankOf({ bank, csv, activity, folds = [], ...flags }: BankOptions): Promise<SoundBank> {
  if (bank === undefined) {
    if (csv !== undefined || activity !== undefined || folds.length > 0) {
      throw new UsageError('--csv, --activity and --folds say how to read a folder: give it with --bank.')
    }
    return proceduralBank()
  }
  const splits = Object.fromEntries(
    folds.map((text) => assignment(text, '--folds')).map(([name, list]) => [name, list.split(',')]),
  )
  return folderBank(bank, {
    decode: decodePolicyOf(flags),
    ...(csv === undefined ? {} : { csv }),
    ...(activity === undefined ? {} : { activity }),
    ...(folds.length === 0 ? {} : { splits }),
  })
}

/** `train=800` and so on; `fallback` where none is given. */
export function scenesOf(
  splits: readonly string[],
  fallback: Record<string, number>,
): Record<string, number> {
  if (splits.length === 0) return fallback
  return Object.fromEntries(
    splits.map((text) => {
      const [name, count] = assignment(text, '--split')
      if (!/^\d+$/.test(count))
        throw new UsageError(`Expected a whole number of scenes, got --split ${text}.`)
      return [name, Number(count)]
    }),
  )
}

function assignment(text: string, option: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new UsageError(`Expected name=value, got ${option} ${text}.`)
  return [text.slice(0, at), text.slice(at + 1)]
}
