import { SonotextError } from '../base/errors.js'
import { valueText } from './describe.js'
import type { OnnxModel } from './session.js'

/** Names that exporters give to vectors, most telling first. */
const known = [
  ...['audio_embeds', 'text_embeds', 'sentence_embedding', 'embedding', 'embeddings', 'pooler_output'],
  ...['last_hidden_state', 'token_embeddings'],
]

/** The output that holds the vectors. Throws UNSUPPORTED, listing those that the model gives. */
export function pickOutput({ file, description }: OnnxModel, wanted?: string): string {
  const { outputs, inner } = description
  const names = outputs.map(({ name }) => name)
  const name =
    wanted ?? (names.length === 1 ? names[0] : known.find((candidate) => names.includes(candidate)))
  if (name !== undefined && names.includes(name)) return name
  throw new SonotextError(
    'UNSUPPORTED',
    `${wanted === undefined ? 'it is not clear which output holds the vectors' : `there is no output "${wanted}"`}: the model gives ${outputs.map(valueText).join(', ')}.`,
    {
      file,
      remedy: `Name it: output, or one of the ${inner.length} values within that sonotext models check lists with --json.`,
    },
  )
}
