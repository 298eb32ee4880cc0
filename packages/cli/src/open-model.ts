import { dirname, extname, resolve } from 'node:path'
import type { DecodePolicy } from '@sonotext/core/audio'
import type { Backend } from '@sonotext/core/backend'
import { frozenRun, type OpenRun, openRun } from '@sonotext/core/runs'
import { loadConfig } from './config-file.js'

/** A run, or the pretrained models of a configuration as if they were one; its manifest is by default manifest.jsonl beside it. */
export async function openModel(
  path: string,
  options: { readonly backend: Backend; readonly decode?: DecodePolicy },
): Promise<OpenRun> {
  if (!['.json', '.yaml', '.yml'].includes(extname(path).toLowerCase())) return openRun(path, options)
  const beside = { data: { manifest: resolve(dirname(path), 'manifest.jsonl') } }
  return frozenRun(await loadConfig(path, [], beside), { ...options, file: path })
}
