import { type CheckReport, checkClips, Quarantine, readManifest, writeManifest } from '@sonotext/core/data'
import { exitCode } from '../exit.js'
import type { CommandBody } from '../main.js'

interface CheckOptions {
  maxBad: number
  out?: string
}

interface Report extends CheckReport {
  manifest: string
}

/** Finds what is wrong with the clips of a manifest. */
const check: CommandBody<CheckOptions, readonly [string]> = async ({ terminal, signal }, options, path) => {
  const manifest = await readManifest(path, { signal })
  const progress = terminal.progress('check', manifest.clips.length, 'clips')
  const report = await checkClips(manifest.clips, { signal, onProgress: (done) => progress.update(done) })
  progress.finish()
  const quarantine = new Quarantine(manifest.clips.length, options.maxBad)
  quarantine.addFindings(report.findings)
  if (options.out !== undefined) {
    const kept = quarantine.keep(manifest.clips)
    await writeManifest(options.out, kept, { signal })
    terminal.note(`${kept.length} good clips → ${options.out}`)
  }
  terminal.result<Report>({ manifest: path, ...report }, text)
  return quarantine.exceeded ? exitCode.failure : exitCode.ok
}
export default check

function text({ findings, summary }: Report): string {
  const lines = findings.map(
    ({ severity, kind, clip, file, message, remedy }) =>
      `${severity.padEnd(7)} ${kind.padEnd(17)} ${clip}: ${message}${remedy === undefined ? '' : ` ${remedy}`} (${file})`,
  )
  const splits = Object.entries(summary.splits).map(
    ([name, count]) => `${name === '' ? 'no split' : name} ${count}`,
  )
  return [
    ...lines,
    `${summary.clips} clips (${splits.join(', ')}), ${summary.captions} captions, ${(summary.seconds / 60).toFixed(1)} minutes of audio`,
    summary.bad === 0 ? 'no bad clip' : `${summary.bad} bad clips (${(100 * summary.badShare).toFixed(1)} %)`,
  ].join('\n')
}
