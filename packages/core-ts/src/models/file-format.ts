import { SonotextError } from '../base/errors.js'
import type { TensorFile } from '../base/safetensors.js'
import { isPlainObject } from '../registry/index.js'

/** What a file of tensors says it is. */
export interface FileFormat {
  readonly name: string
  readonly version: number
  /** What to do when a file is none of it. */
  readonly remedy: string
}

/** Metadata of a safetensors file that describe what its tensors are. */
export function formatHeader({ name, version }: FileFormat, body: object): Record<string, string> {
  return { format: name, version: String(version), content: JSON.stringify(body) }
}

/** What was described: a JSON object. Throws INVALID_FILE for a file of another format or version. */
export function descriptionOf<T extends object>(
  { metadata }: Pick<TensorFile, 'metadata'>,
  { name, version, remedy }: FileFormat,
  path: string,
): T {
  const bad = (got: string): SonotextError =>
    new SonotextError('INVALID_FILE', `Expected a file of format ${name}, version ${version}, got ${got}.`, {
      file: path,
      remedy,
    })
  if (metadata['format'] !== name) throw bad(metadata['format'] ?? 'another kind of safetensors file')
  if (metadata['version'] !== String(version)) throw bad(`version ${metadata['version']}`)
  let described: unknown
  try {
    described = JSON.parse(metadata['content']!)
  } catch {
    throw bad('a description that is not JSON')
  }
  if (!isPlainObject(described)) throw bad('a description that is no object')
  return described as T
}
