import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { SonotextError } from '../base/errors.js'
import { readText } from '../base/text.js'

/** Token ids of sentences, as a text model wants them. */
export interface SentenceTokenizer {
  /** Id of padding. */
  readonly padId: number
  /** Ids of at most `longest` tokens; what is cut is cut before the tokens that end a sentence. */
  encode(text: string, longest: number): number[]
}

interface Encoded {
  /** Undefined for words that the vocabulary lacks. */
  readonly ids: readonly (number | undefined)[]
}

interface TokenizersPackage {
  readonly Tokenizer: new (
    tokenizer: object,
    config: object,
  ) => {
    encode(text: string, options?: { add_special_tokens?: boolean }): Encoded
    token_to_id(token: string): number | undefined
  }
}

export type ImportTokenizers = () => Promise<TokenizersPackage>

/**
 * The tokenizer of a tokenizer.json, with the tokenizer_config.json beside it where there is one, run by \@huggingface/tokenizers.
 * @throws SonotextError MISSING_FILE; INVALID_FILE for what is none; MISSING_DEPENDENCY without the package
 */
export async function openTokenizer(
  file: string,
  importTokenizers: ImportTokenizers = () => import('@huggingface/tokenizers') as Promise<never>,
): Promise<SentenceTokenizer> {
  const json = await readText(file)
  const { Tokenizer } = await importTokenizers().catch((cause: unknown) => {
    throw new SonotextError(
      'MISSING_DEPENDENCY',
      'Expected @huggingface/tokenizers to read a tokenizer, found none.',
      {
        file,
        remedy: 'Install it: npm install @huggingface/tokenizers',
        cause,
      },
    )
  })
  const beside = join(dirname(file), 'tokenizer_config.json')
  const config = existsSync(beside) ? parsed(await readText(beside), beside) : {}
  const description = parsed(json, file)
  const made = (() => {
    try {
      return new Tokenizer(description, config)
    } catch (cause) {
      throw notOne(file, (cause as Error).message, cause)
    }
  })()
  const padToken = (config as { pad_token?: unknown }).pad_token
  const named =
    typeof padToken === 'string'
      ? padToken
      : ['<pad>', '[PAD]'].find((t) => made.token_to_id(t) !== undefined)
  const padId = (named === undefined ? undefined : made.token_to_id(named)) ?? 0
  const { unk_token: unknown } = (description as { model?: { unk_token?: unknown } }).model ?? {}
  const unknownId = (typeof unknown === 'string' ? made.token_to_id(unknown) : undefined) ?? padId
  const idsOf = (text: string, options?: { add_special_tokens?: boolean }): number[] =>
    made.encode(text, options).ids.map((id) => id ?? unknownId)
  return {
    padId,
    encode(text, longest) {
      const ids = idsOf(text)
      if (ids.length <= longest) return ids
      const bare = idsOf(text, { add_special_tokens: false })
      const before = Math.max(0, indexOf(ids, bare))
      const after = ids.length - before - bare.length
      return [...ids.slice(0, Math.max(0, longest - after)), ...ids.slice(ids.length - after)].slice(
        0,
        longest,
      )
    },
  }
}

/** Where `part` begins in `all`; -1 where it is not. */
function indexOf(all: readonly number[], part: readonly number[]): number {
  for (let at = 0; at + part.length <= all.length; at++)
    if (part.every((id, i) => all[at + i] === id)) return at
  return -1
}

function parsed(json: string, file: string): object {
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value === 'object' && value !== null) return value
  } catch (cause) {
    throw notOne(file, (cause as Error).message, cause)
  }
  throw notOne(file, 'other JSON', undefined)
}

function notOne(file: string, message: string, cause: unknown): SonotextError {
  return new SonotextError('INVALID_FILE', `Expected a tokenizer of Hugging Face, got: ${message}.`, {
    file,
    remedy: 'Take the tokenizer.json that belongs to the model.',
    cause,
  })
}
