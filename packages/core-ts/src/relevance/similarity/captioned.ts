import { type CsvTable, readCsv, SonotextError } from '../../base/index.js'
import { type Clip, isManifestName, readManifest } from '../../data/index.js'

/** A caption that a clip has. */
export interface ClipCaption {
  readonly id: string
  readonly clip: string
  readonly text: string
}

/** Captions of clips, the queries of ratings among them. */
export interface CaptionedClips {
  readonly captions: readonly ClipCaption[]
  readonly byId: ReadonlyMap<string, ClipCaption>
  /** In the order of the first caption of each. */
  readonly byClip: ReadonlyMap<string, readonly ClipCaption[]>
}

/** Captions by id and by clip. */
export function captionedClips(captions: readonly ClipCaption[]): CaptionedClips {
  return {
    captions,
    byId: new Map(captions.map((caption) => [caption.id, caption])),
    byClip: Map.groupBy(captions, ({ clip }) => clip),
  }
}

/** The captions of a manifest's clips. */
export function captionsOfClips(clips: readonly Pick<Clip, 'id' | 'captions'>[]): CaptionedClips {
  return captionedClips(
    clips.flatMap(({ id: clip, captions }) => captions.map(({ id, text }) => ({ id, clip, text }))),
  )
}

const columns = {
  id: ['tid', 'caption_id', 'query', 'id'],
  clip: ['fid', 'clip', 'item', 'file_name'],
  text: ['text', 'caption'],
} as const

/**
 * Reads captions from a manifest (JSONL), or from a CSV with a column for the caption's id (`tid`, `caption_id`, `query`, `id`), its clip
 * (`fid`, `clip`, `item`, `file_name`) and its text (`text`, `caption`), such as the texts of the TAU Audio-Text Graded Relevances.
 * Throws MISSING_FILE, and INVALID_FILE for columns that are missing and an id that occurs twice.
 */
export async function readCaptions(
  path: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<CaptionedClips> {
  if (isManifestName(path)) return captionsOfClips((await readManifest(path, options)).clips)
  const table = await readCsv(path, options)
  const [id, clip, text] = [columnOf(table, 'id'), columnOf(table, 'clip'), columnOf(table, 'text')]
  const seen = new Map<string, number>()
  const captions = table.rows.map((row) => {
    const caption = { id: row.get(id).trim(), clip: row.get(clip).trim(), text: row.get(text) }
    const first = seen.get(caption.id)
    if (first !== undefined) {
      throw new SonotextError(
        'INVALID_FILE',
        `the caption "${caption.id}" occurs a second time; the first is on line ${first}.`,
        { file: `${path}:${row.line}`, remedy: 'Give every caption its own id.' },
      )
    }
    seen.set(caption.id, row.line)
    return caption
  })
  return captionedClips(captions)
}

function columnOf(table: CsvTable, kind: keyof typeof columns): string {
  const name = columns[kind].find((one) => table.has(one))
  if (name !== undefined) return name
  throw new SonotextError(
    'INVALID_FILE',
    `Expected a column ${columns[kind].join(', ')} for the ${kind} of captions, got ${table.columns.join(', ')}.`,
    { file: table.path, remedy: 'Captions may also come from a manifest (.jsonl).' },
  )
}
