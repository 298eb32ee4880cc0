import { type ConfigKey, configKeys } from '@sonotext/core/runs'
import type { CommandBody } from '../command.js'
import { exitCode, UsageError } from '../exit.js'

interface ConfigOptions {
  yaml?: boolean
  json?: boolean
}

/** Prints every configuration key, its default and what it means; keys of a choice under the choice. */
const config: CommandBody<ConfigOptions> = async ({ terminal }, options) => {
  if (options.yaml && options.json) throw new UsageError('Expected one of --yaml and --json, got both.')
  terminal.result(configKeys(), options.yaml ? yaml : text)
  return exitCode.ok
}
export default config

function text(keys: readonly ConfigKey[]): string {
  const [wide, wider] = [32, 12]
  let last = ''
  return keys
    .flatMap((key) => {
      const choice = key.when.join(', ')
      const heading = choice === last || choice === '' ? [] : [`  with ${choice}`]
      last = choice
      const name = `${choice === '' ? '' : '    '}${key.key}`
      return [...heading, `${name.padEnd(wide)}  ${valueOf(key).padEnd(wider)}  ${key.description}`]
    })
    .join('\n')
}

function valueOf({ default: value, required }: ConfigKey): string {
  if (value === undefined) return required ? 'required' : 'none'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** A whole configuration file with every default; keys without one and those of other choices are comments. */
function yaml(keys: readonly ConfigKey[]): string {
  const defaults = new Map(keys.map(({ key, default: value }) => [key, String(value)]))
  const chosen = ({ when, key }: ConfigKey): boolean =>
    !key.includes('[]') &&
    when.every((choice) => defaults.get(choice.split('=')[0]!) === choice.split('=')[1])
  const lines: string[] = []
  let open: string[] = []
  let other = ''
  for (const entry of keys) {
    const { key, default: value, required, description, when } = entry
    const path = key.split('.')
    if (!chosen(entry)) {
      const choice = when.at(-1) ?? ''
      if (choice !== other && choice !== '') lines.push(`${indent(path)}# with ${choice}:`)
      other = choice
      lines.push(
        `${indent(path)}#   ${path.at(-1)}: ${value === undefined ? '' : JSON.stringify(value)}`.trimEnd(),
      )
      continue
    }
    const groups = path.slice(0, -1)
    for (const [depth, group] of groups.entries()) {
      if (open[depth] === group && open.slice(0, depth).every((name, i) => name === groups[i])) continue
      if (depth === 0) lines.push('')
      lines.push(`${'  '.repeat(depth)}${group}:`)
      open = groups.slice(0, depth + 1)
    }
    open = groups
    lines.push(`${indent(path)}# ${description}`)
    if (value !== undefined) lines.push(`${indent(path)}${path.at(-1)}: ${JSON.stringify(value)}`)
    else
      lines.push(
        `${indent(path)}${required ? '' : '# '}${path.at(-1)}:${required ? ' scenes/manifest.jsonl' : ''}`,
      )
  }
  return lines.join('\n')
}

function indent(path: readonly string[]): string {
  return '  '.repeat(path.length - 1)
}
