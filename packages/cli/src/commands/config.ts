import { type ConfigKey, configKeys } from '@sonotext/core/experiment'
import type { CommandBody } from '../command.js'
import { exitCode, UsageError } from '../exit.js'

interface ConfigOptions {
  yaml?: boolean
  json?: boolean
}

/** Prints every configuration key, its default and what it means. */
const config: CommandBody<ConfigOptions> = async ({ terminal }, options) => {
  if (options.yaml && options.json) throw new UsageError('Expected one of --yaml and --json, got both.')
  terminal.result(configKeys(), options.yaml ? yaml : text)
  return exitCode.ok
}
export default config

function text(keys: readonly ConfigKey[]): string {
  const shown = keys.map((key) => ({ ...key, value: valueOf(key) }))
  const [wide, wider] = [24, 14]
  return shown
    .map(({ key, value, description }) => `${key.padEnd(wide)}  ${value.padEnd(wider)}  ${description}`)
    .join('\n')
}

function valueOf({ default: value, required }: ConfigKey): string {
  return value === undefined ? (required ? 'required' : 'none') : String(value)
}

/** A whole configuration file with every default; keys without one are comments, but for the one that is needed. */
function yaml(keys: readonly ConfigKey[]): string {
  const lines: string[] = []
  let group = ''
  for (const { key, default: value, required, description } of keys) {
    const name = key.slice(key.indexOf('.') + 1)
    if (key.includes('.') && !key.startsWith(`${group}.`)) {
      group = key.slice(0, key.indexOf('.'))
      lines.push('', `${group}:`)
    }
    const indent = key.includes('.') ? '  ' : ''
    lines.push(`${indent}# ${description}`)
    if (value !== undefined) lines.push(`${indent}${name}: ${JSON.stringify(value)}`)
    else lines.push(required ? `${indent}${name}: scenes/manifest.jsonl` : `${indent}# ${name}:`)
  }
  return lines.join('\n')
}
