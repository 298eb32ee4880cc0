import { createHash } from 'node:crypto'
import { copyFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { makeFolder, SonotextError, writeFileAtomic } from '@sonotext/core/base'
import { clipsOfSplit, readManifest } from '@sonotext/core/data'
import { captionsOfClips, planListening, readRelevances } from '@sonotext/core/relevance'
import { listeningPage } from '@sonotext/core/report'
import type { CommandBody } from '../../command.js'
import { exitCode } from '../../exit.js'
import { plural } from '../../plural.js'

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
  const manifest = await readManifest(path, { signal })
  const clips = split === undefined ? manifest.clips : clipsOfSplit(manifest, split)
  const plan = planListening(captionsOfClips(clips), {
    ...{ candidates, raters, seed },
    ...(queries === undefined ? {} : { queries }),
    ...(ratersEach === undefined ? {} : { ratersEach }),
    ...(relevance === undefined ? {} : { relevance: await readRelevances(relevance, { signal }) }),
  })
  await makeFolder(join(out, 'audio'))
  const byId = new Map(clips.map((clip) => [clip.id, clip.audio]))
  const used = new Set(plan.lists.flatMap(({ items }) => items.map(({ item }) => item)))
  const audio = new Map<string, string>()
  for (const id of used) {
    const from = byId.get(id)!
    // Not the clip's name, which may say what is to be heard.
    const name = `audio/${createHash('sha256').update(`${seed} ${id}`).digest('hex').slice(0, 12)}${extname(from)}`
    await copyFile(from, join(out, name)).catch((cause: unknown) => {
      throw new SonotextError('MISSING_FILE', `could not copy the recording of ${id}.`, {
        file: from,
        remedy: 'Check the manifest: sonotext check.',
        cause,
      })
    })
    audio.set(id, name)
  }
  const id = createHash('sha256').update(JSON.stringify(plan)).digest('hex').slice(0, 12)
  await writeFileAtomic(
    join(out, 'index.html'),
    await listeningPage(plan, { id, audio, leastSeconds, ...(title === undefined ? {} : { title }) }),
  )
  const report = {
    out,
    lists: plan.lists.length,
    clips: used.size,
    raters: plan.raters.map(({ rater, tasks }) => ({ rater, lists: tasks.length })),
  }
  terminal.result(
    report,
    () =>
      `${plural(report.lists, 'list')} of ${plural(candidates + 2, 'clip')} for ${plural(raters, 'rater')} → ${join(out, 'index.html')}\nafterwards: sonotext relevance import ratings-*.csv --screen controls --out relevance.csv`,
  )
  return exitCode.ok
}
export default page
