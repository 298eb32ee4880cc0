import { SonotextError } from '../base/errors.js'

/** What is used of onnxruntime: both packages have it. */
export interface OnnxRuntime {
  /** The package and its version: other versions may give other bits. */
  readonly name: 'onnxruntime-node' | 'onnxruntime-web'
  readonly version: string
  readonly module: OrtModule
}

export interface OrtTensor {
  readonly type: string
  readonly dims: readonly number[]
  readonly data: unknown
  dispose?(): void
}

export interface OrtSession {
  run(feeds: Readonly<Record<string, OrtTensor>>): Promise<Readonly<Record<string, OrtTensor>>>
  release(): Promise<void>
}

interface OrtModule {
  readonly env: {
    logLevel?: string
    readonly wasm: { numThreads?: number }
    readonly versions: Readonly<Record<string, string | undefined>>
  }
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => OrtTensor
  readonly InferenceSession: {
    create(model: string | Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OrtSession>
  }
}

export type ImportRuntime = (name: OnnxRuntime['name']) => Promise<unknown>

let found: Promise<OnnxRuntime> | undefined

/**
 * onnxruntime-node where it is installed, else onnxruntime-web, with one thread: worker threads of the corpus run beside each other.
 * @throws SonotextError MISSING_DEPENDENCY when neither is there
 */
export function onnxRuntime(importRuntime?: ImportRuntime): Promise<OnnxRuntime> {
  if (importRuntime !== undefined) return find(importRuntime)
  found ??= find((name) => import(name))
  return found
}

async function find(importRuntime: ImportRuntime): Promise<OnnxRuntime> {
  let cause: unknown
  for (const name of ['onnxruntime-node', 'onnxruntime-web'] as const) {
    try {
      const imported = (await importRuntime(name)) as OrtModule & { readonly default?: OrtModule }
      const module = imported.default ?? imported
      module.env.logLevel = 'error'
      if (name === 'onnxruntime-web') module.env.wasm.numThreads = 1
      const { versions } = module.env
      return {
        name,
        version: versions[name.slice('onnxruntime-'.length)] ?? versions['common'] ?? '',
        module,
      }
    } catch (failed) {
      // Why the one that is named in the remedy cannot be had.
      cause = failed
    }
  }
  throw new SonotextError('MISSING_DEPENDENCY', 'Expected onnxruntime to run an ONNX model, found none.', {
    remedy: 'Install it: npm install onnxruntime-web (onnxruntime-node is taken where it is installed).',
    cause,
  })
}
