import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { access, copyFile, readdir, rm } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { makeFolder, readText, SonotextError, writeFileAtomic } from '@sonotext/core/base'
import { clipsOfSplit, readManifest } from '@sonotext/core/data'
import { captionsOfClips, controlRule, type ListeningPlan, planListening } from '@sonotext/core/relevance'
import { listeningPage } from '@sonotext/core/report'
import type { CommandBody } from '../../command.js'
import { exitCode } from '../../exit.js'
import { plural } from '../../plural.js'
import { readKnownRelevance } from './known-relevance.js'

interface PageOptions {
  out: string
  split?: string
  queries?: number
  candidates: number
  relevance?: string
  raters: number
  ratersEach?: number
  leastSeconds: number
  title?: string
  seed: number
}

/** The folder of a listening test: a page and the recordings, to be opened from the disk or put on a web server. */
const page: CommandBody<PageOptions, readonly [string]> = async ({ terminal, signal }, options, path) => {
  const { out, split, queries, candidates, relevance, raters, ratersEach, leastSeconds, title, seed } =
    options
  await refuseForeignFiles(out)
  const manifest = await readManifest(path, { signal })
  const clips = split === undefined ? manifest.clips : clipsOfSplit(manifest, split)
  terminal.note('comparing captions for the controls …')
  const plan = await planListening(captionsOfClips(clips), {
    ...{ candidates, raters, seed, signal },
    ...(queries === undefined ? {} : { queries }),
    ...(ratersEach === undefined ? {} : { ratersEach }),
    ...(relevance === undefined
      ? {}
      : { relevance: await readKnownRelevance(relevance, clips, { terminal, signal }) }),
  })
  const used = new Set(plan.lists.flatMap(({ items }) => items.map(({ item }) => item)))
  const recordings = clips.flatMap(({ id, audio: from }) => {
    // Not the clip's name, which may say what is to be heard.
    const name = `${createHash('sha256').update(`${seed} ${id}`).digest('hex').slice(0, 12)}${extname(from)}`
    return used.has(id) ? [{ id, from, name }] : []
  })
  for (const { id, from } of recordings) await access(from).catch((cause: unknown) => refuse(id, from, cause))
  await makeFolder(join(out, 'audio'))
  // First of all: it says whose folder this is.
  await writeFileAtomic(join(out, aboutFile), about(plan, options, path))
  for (const { id, from, name } of recordings)
    await copyFile(from, join(out, 'audio', name)).catch((cause: unknown) => refuse(id, from, cause))
  await removeOthers(join(out, 'audio'), new Set(recordings.map(({ name }) => name)))
  const audio = new Map(recordings.map(({ id, name }) => [id, `audio/${name}`]))
  const id = createHash('sha256').update(JSON.stringify(plan)).digest('hex').slice(0, 12)
  await writeFileAtomic(
    join(out, 'index.html'),
    await listeningPage(plan, { id, audio, leastSeconds, ...(title === undefined ? {} : { title }) }),
  )
  if (queries !== undefined && plan.lists.length < queries)
    terminal.warn(`there are ${plural(plan.lists.length, 'caption')} to rate, not ${queries}.`)
  const alike = plan.lists.filter(({ controlSimilarity }) => controlSimilarity > alikeFrom).length
  if (alike > 0)
    terminal.warn(
      `${plural(alike, 'list')} with a control whose captions are much like those of the own clip (above ${alikeFrom} of 1): it may fit, and --screen controls then leaves out raters who say so.`,
    )
  const report = {
    out,
    lists: plan.lists.length,
    clips: used.size,
    controlSimilarity: Math.max(...plan.lists.map(({ controlSimilarity }) => controlSimilarity)),
    raters: plan.raters.map(({ rater, tasks }) => ({ rater, lists: tasks.length })),
  }
  terminal.result(report, () =>
    [
      `${plural(report.lists, 'list')} of ${plural(candidates + 2, 'clip')} for ${plural(raters, 'rater')} → ${join(out, 'index.html')}`,
      `controls: clips of least similar captions (${report.controlSimilarity.toFixed(2)} of 1 at most); see ${aboutFile}`,
      'afterwards: sonotext relevance import ratings-*.csv --screen controls --out relevance.csv',
    ].join('\n'),
  )
  return exitCode.ok
}
export default page

/** Captions as much alike as this may be of clips that sound alike. */
const alikeFrom = 0.5

const aboutFile = 'README.txt'
/** The first line of {@link aboutFile}, by which a folder is known for one of this command. */
const aboutTitle = 'A listening test, written by sonotext relevance page.'

function about({ lists, raters }: ListeningPlan, options: PageOptions, manifest: string): string {
  const { candidates, seed, leastSeconds, relevance, split } = options
  return `${aboutTitle}

Raters open index.html; everything they need is in this folder. At the end each saves a table, and
sonotext relevance import ratings-*.csv --screen controls --out relevance.csv
makes relevance of all tables.

Lists: ${lists.length}, each a caption with its own clip (group TP), a control (TN) and ${candidates} candidates (C).
Raters: ${raters.length}; a clip can be rated once ${leastSeconds} s of it were played.
Candidates: ${relevance === undefined ? 'drawn at random' : `the most relevant judged clips of ${basename(relevance)}, then others at random`}.
Controls: ${controlRule}${relevance === undefined ? '' : ` A clip that is judged with the caption in ${basename(relevance)} is a control only where all are, and then one of the least relevant.`}
Of the most similar control this is ${Math.max(...lists.map(({ controlSimilarity }) => controlSimilarity)).toFixed(3)}.
Clips: ${basename(manifest)}${split === undefined ? '' : `, split ${split}`}; seed ${seed}.
`
}

/** Throws IN_USE where the folder holds files of these names that this command has not written. */
async function refuseForeignFiles(folder: string): Promise<void> {
  const there = ['index.html', 'audio', aboutFile].filter((name) => existsSync(join(folder, name)))
  if (there.length === 0) return
  const text = there.includes(aboutFile) ? await readText(join(folder, aboutFile)).catch(() => '') : ''
  if (text.startsWith(aboutTitle)) return
  throw new SonotextError('IN_USE', `${folder} has ${there.join(', ')} already, of something else.`, {
    remedy: 'Name another folder, or remove them: only a listening test is replaced by another.',
  })
}

/** Recordings of a test that was in the folder before; files of other names stay. */
async function removeOthers(folder: string, names: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(folder))
    if (/^[0-9a-f]{12}(\.\w+)?$/.test(name) && !names.has(name)) await rm(join(folder, name))
}

function refuse(clip: string, file: string, cause: unknown): never {
  throw new SonotextError('MISSING_FILE', `could not copy the recording of ${clip}.`, {
    file,
    remedy: 'Check the manifest: sonotext check.',
    cause,
  })
}
