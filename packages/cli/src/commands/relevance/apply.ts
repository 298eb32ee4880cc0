import { applyRelevance, loadRelevanceModel, readCaptions } from '@sonotext/core/relevance'
import { backendOf, type BackendOptions } from '../../backend-option.js'
import type { CommandBody } from '../../command.js'
import { exitCode } from '../../exit.js'
import { refuseForeign } from '../../outputs.js'
import { plural } from '../../plural.js'
import { writeRelevance } from './write-relevance.js'

interface ApplyOptions extends BackendOptions {
  captions: string
  out: string
  manifest?: string
  top: number
  least: number
  cache?: string
}

/** Graded relevance of every caption of a corpus and the clips that fit it most. */
const apply: CommandBody<ApplyOptions, readonly [string]> = async ({ terminal, signal }, options, path) => {
  const { top, least, out, manifest, cache: cacheFolder } = options
  refuseForeign('--out', out, manifest === undefined ? 'relevance' : 'manifest')
  const model = await loadRelevanceModel(path, { cacheFolder })
  const captions = await readCaptions(options.captions, { signal })
  const progress = terminal.progress('relevance', captions.captions.length, 'captions')
  const found = await applyRelevance(model, captions, {
    backend: backendOf(options, terminal),
    top,
    least,
    signal,
    onProgress: (done) => progress.update(done),
    onUnknown: (unknown) =>
      terminal.warn(
        `${options.captions}: ${unknown.length} of ${plural(captions.captions.length, 'caption')} without a word that the model knows, such as ${JSON.stringify(unknown[0])}: their relevance is the same for every clip and says nothing.`,
      ),
  })
  progress.finish()
  const pairs = await writeRelevance(out, found, manifest, { terminal, signal })
  const report = {
    out,
    captions: captions.captions.length,
    clips: captions.byClip.size,
    pairs,
  }
  terminal.result(
    report,
    ({ captions: queries, clips, pairs }) =>
      `${plural(pairs, 'pair')} of ${plural(queries, 'caption')} and ${plural(clips, 'clip')} → ${out}`,
    out,
  )
  return exitCode.ok
}
export default apply
