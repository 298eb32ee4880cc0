import { access } from 'node:fs/promises'
import { SonotextError } from '../base/errors.js'
import { rethrowMissing } from '../base/text.js'
import type { Clip } from '../data/index.js'
import type { RelevanceOptions } from '../evaluation/index.js'
import { type GradedTruth, measureOf, tellsRankings } from '../metrics/index.js'
import { pathsIn } from '../registry/index.js'
import { readRelevances, type Relevances } from '../relevance/index.js'
import { configSchema, type RunConfig } from './config-schema.js'
import type { RunClips } from './run-clips.js'

/** Keys of files and folders that a run makes itself. */
const made = new Set(['data.cache'])

/** Throws MISSING_FILE for a file that a configuration names and that is not there, before anything is computed. */
export async function refuseMissingFiles(config: RunConfig): Promise<void> {
  for (const { key, path } of pathsIn(configSchema, config))
    if (!made.has(key)) await access(path).catch((cause: unknown) => rethrowMissing(path, cause))
}

/** Parts that take graded relevance from a file. */
const takers = new Set(['relevance', 'relevant-pairs', 'unjudged-pairs', 'rated-lists'])

/**
 * Reads all relevance that a configuration names and gives what it validates against, before anything is computed.
 * @throws SonotextError INVALID_DATA naming a file that is of other data, that has nothing to order lists by, or that lets
 *   `validation.monitor` or `validation.watch` tell nothing; the errors of `readRelevances`
 */
export async function openRelevance(
  config: RunConfig,
  { training, validation }: RunClips,
  signal: AbortSignal | undefined,
): Promise<RelevanceOptions> {
  const known = new Map<string, Relevances>()
  const read = async (file: string): Promise<Relevances> => {
    let found = known.get(file)
    if (found === undefined) known.set(file, (found = await readRelevances(file, signal && { signal })))
    return found
  }
  for (const { type, file } of takersIn(config)) {
    const relevances = await read(file)
    refuseStrange(relevances, training, 'training data', file)
    if (type === 'rated-lists') refuseFlatLists(relevances, training, file)
  }
  const { relevance: file, minGrade, unjudged } = config.validation
  if (file === undefined || validation.length < 2) return {}
  const relevance = await read(file)
  refuseStrange(relevance, validation, 'validation clips', file)
  const options = { relevance, unjudged, ...(minGrade !== undefined && { minGrade }) }
  refuseBlindMonitor(config, validation, options, file)
  return options
}

/** Throws INVALID_DATA where no pair is of a caption and a clip of these: it would do nothing and say nothing. */
export function refuseStrange(
  relevances: GradedTruth,
  clips: readonly Clip[],
  what: string,
  file?: string,
): void {
  const ids = new Set(clips.map(({ id }) => id))
  const captions = clips.flatMap((clip) => clip.captions)
  if (captions.some(({ id }) => [...relevances.judged(id).keys()].some((item) => ids.has(item)))) return
  const query = relevances.queries[0]!
  const [item] = relevances.judged(query).keys()
  throw new SonotextError(
    'INVALID_DATA',
    `the relevance is of other data: it knows "${query}" and "${item}", the ${what} have captions such as "${captions[0]?.id}" of clips such as "${clips[0]?.id}".`,
    {
      ...(file !== undefined && { file }),
      remedy: 'Queries must be ids of captions and items ids of clips, as the manifest has them.',
    },
  )
}

/** Lists whose clips are all as relevant have no order to learn. */
function refuseFlatLists(relevances: Relevances, clips: readonly Clip[], file: string): void {
  const { ofCaptions } = gradesOf(relevances, clips)
  const lists = ofCaptions.filter(({ length }) => length >= 2)
  if (lists.length === 0 || lists.some((grades) => grades.some((grade) => grade !== grades[0]))) return
  throw new SonotextError(
    'INVALID_DATA',
    `Expected rated lists with clips of different relevance, got ${lists.length} with one relevance throughout, such as ${lists[0]![0]}.`,
    { file, remedy: 'Rated lists learn an order: give ratings that differ within a caption.' },
  )
}

/** A number that is the same for every ranking would keep the untrained model as the best one, and say nothing. */
function refuseBlindMonitor(
  { validation }: RunConfig,
  clips: readonly Clip[],
  options: RelevanceOptions & { readonly relevance: Relevances },
  file: string,
): void {
  const { ofCaptions, ofClips } = gradesOf(options.relevance, clips)
  const captions = clips.flatMap((clip) => clip.captions).length
  for (const key of ['monitor', 'watch'] as const) {
    const name = validation[key]
    const measure = name === undefined ? undefined : measureOf(name)
    if (name === undefined || measure === undefined) continue
    const directions = {
      textToAudio: () => tellsRankings(measure, ofCaptions, clips.length, options),
      audioToText: () => tellsRankings(measure, ofClips, captions, options),
    }
    const told = Object.entries(directions).flatMap(([direction, tells]) =>
      name === measure.name || name.startsWith(direction) ? [tells()] : [],
    )
    const isNothing = told.includes('nothing')
    if (!isNothing && told.includes('rankings')) continue
    const why = isNothing
      ? `${name} counts no query${told.includes('rankings') ? ' of one direction' : ''}`
      : `${name} is the same for every ranking`
    throw new SonotextError(
      'INVALID_DATA',
      `validation.${key}: ${why} beside this relevance, and cannot tell a better epoch: what is judged with a caption or a clip is all of one grade, or nothing is relevant.`,
      {
        file,
        remedy: `Give ratings that differ, watch one direction or the loss (validation.${key}: loss)${options.unjudged === 'left-out' ? ', or count what nobody has judged as irrelevant (validation.unjudged: irrelevant)' : ''}.`,
      },
    )
  }
}

/** Grades of what is judged of these clips: by caption and by clip. */
function gradesOf(
  relevances: Relevances,
  clips: readonly Clip[],
): { readonly ofCaptions: number[][]; readonly ofClips: number[][] } {
  const ofClips = new Map<string, number[]>(clips.map(({ id }) => [id, []]))
  const ofCaptions = clips.flatMap(({ captions }) =>
    captions.map(({ id }) => {
      const grades: number[] = []
      for (const [item, grade] of relevances.judged(id)) {
        const ofClip = ofClips.get(item)
        if (ofClip === undefined) continue
        ofClip.push(grade)
        grades.push(grade)
      }
      return grades
    }),
  )
  const judged = (lists: readonly number[][]) => lists.filter(({ length }) => length > 0)
  return { ofCaptions: judged(ofCaptions), ofClips: judged([...ofClips.values()]) }
}

function* takersIn(value: unknown): Generator<{ readonly type: string; readonly file: string }> {
  if (typeof value !== 'object' || value === null) return
  const { type, file } = value as { type?: unknown; file?: unknown }
  if (typeof type === 'string' && takers.has(type) && typeof file === 'string') yield { type, file }
  for (const child of Object.values(value)) yield* takersIn(child)
}
