import { createHash } from 'node:crypto'
import type { Backend } from '../backend/port.js'
import type { AudioFeatures } from './feature-kind.js'
import { logMel, logMelHash, type LogMel } from './log-mel.js'
import { logMelOptions, presetSampleRate, type LogMelOptions, type LogMelPreset } from './log-mel-presets.js'

/** Options of {@link logMelFeatures}. */
export interface LogMelFeaturesOptions {
  readonly preset: LogMelPreset
  /** What to replace in the preset. With a sampleRate all clips are brought to it; without, see {@link LogMelPreset}. */
  readonly overrides?: Partial<LogMelOptions>
}

/** Part of the id: changed when mixing or resampling would give other samples. */
const VERSION = 'features 2'

/** Log-mel frames by a preset. @throws SonotextError INVALID_ARGUMENT for options that {@link logMelOptions} refuses */
export function logMelFeatures({ preset, overrides = {} }: LogMelFeaturesOptions): AudioFeatures {
  const fixedRate = overrides.sampleRate ?? presetSampleRate(preset)
  // Where the rate is the clip's own, the options at some rate and what is replaced in them stand for all.
  const example = logMelOptions(preset, {
    ...overrides,
    ...(fixedRate === undefined ? { sampleRate: 44_100 } : {}),
  })
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined))
  const spec = [VERSION, fixedRate ?? 'own rate', Object.entries(given).sort(), logMelHash(example)]
  const hash = createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 16)
  const frontEnds = new WeakMap<Backend, Map<number, LogMel>>()
  const frontEnd = (backend: Backend, sampleRate: number): LogMel => {
    const known = frontEnds.get(backend) ?? new Map<number, LogMel>()
    frontEnds.set(backend, known)
    const mel = known.get(sampleRate) ?? logMel(preset, { ...overrides, sampleRate }, { backend })
    known.set(sampleRate, mel)
    return mel
  }
  const config = { preset, overrides: given }
  return {
    name: 'log-mel',
    config,
    id: `log-mel-${hash}`,
    cols: example.bands,
    compute(audio, { backend, signal }) {
      const mel = frontEnd(backend, fixedRate ?? audio.sampleRate)
      return { frameStep: mel.frameStep, blocks: mel.blocks(audio, signal === undefined ? {} : { signal }) }
    },
    origin: { module: import.meta.url, export: 'logMelFeatures', argument: config },
  }
}
