import type { LogMelPreset } from '@sonotext/core/audio'
import { writeFileAtomic } from '@sonotext/core/base'
import { type CheckReport, checkClips, Quarantine, readCollection, writeManifest } from '@sonotext/core/data'
import type { CommandBody } from '../command.js'
import { decodePolicyOf, type DecodeFlags } from '../decode-option.js'
import { warnOfEmptyBands } from '../empty-bands.js'
import { exitCode } from '../exit.js'
import { refuseForeign, refuseOverwriting } from '../outputs.js'
import { plural } from '../plural.js'

interface CheckOptions extends DecodeFlags {
  maxBad: number
  out?: string
  duplicates?: string
  nearDuplicates: boolean
  preset: LogMelPreset
}

interface Report extends CheckReport {
  manifest: string
}

/** Finds what is wrong with the clips of a manifest. */
const check: CommandBody<CheckOptions, readonly [string]> = async ({ terminal, signal }, options, path) => {
  const manifest = await readCollection(path, {
    signal,
    foreign: options.ffmpeg === true,
    onNote: (note) => terminal.warn(note),
  })
  refuseOverwriting(
    options,
    manifest.clips.map(({ audio }) => audio),
  )
  refuseForeign('--out', options.out, 'manifest')
  refuseForeign('--duplicates', options.duplicates, 'pairs')
  const progress = terminal.progress('check', manifest.clips.length, 'clips')
  const { maxSeconds, ...decode } = decodePolicyOf(options)
  const report = await checkClips(manifest.clips, {
    signal,
    decode,
    nearDuplicates: options.nearDuplicates,
    ...(maxSeconds === undefined ? {} : { maxSeconds }),
    onProgress: (done) => progress.update(done),
  })
  progress.finish()
  warnOfEmptyBands(terminal, options.preset, Object.keys(report.summary.sampleRates).map(Number))
  const quarantine = new Quarantine(manifest.clips.length, options.maxBad)
  quarantine.addFindings(report.findings)
  if (options.out !== undefined) {
    const kept = quarantine.keep(manifest.clips)
    await writeManifest(options.out, kept, { signal })
    terminal.note(`${plural(kept.length, 'good clip')} → ${options.out}`)
  }
  if (options.duplicates !== undefined) {
    await writeFileAtomic(options.duplicates, pairsCsv(report.duplicates))
    terminal.note(`${plural(report.duplicates.length, 'pair')} that share sound → ${options.duplicates}`)
  }
  terminal.result<Report>({ manifest: path, ...report }, text, options.out)
  return quarantine.exceeded ? exitCode.failure : exitCode.ok
}
export default check

/** What the guard `duplicate-clips` reads, and where the passages are. */
function pairsCsv(pairs: CheckReport['duplicates']): string {
  const cell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const rows = pairs.map(({ clip, duplicate, at, duplicateAt, seconds }) =>
    [cell(clip), cell(duplicate), ...[at, duplicateAt, seconds].map((value) => value.toFixed(2))].join(','),
  )
  return ['clip,duplicate,at,duplicate_at,seconds', ...rows, ''].join('\n')
}

/** Findings of one kind shown in text; --json has all of them. */
const shownOfKind = 10

function text({ findings, summary }: Report): string {
  const lines: string[] = []
  for (const [kind, some] of Map.groupBy(findings, (finding) => finding.kind)) {
    for (const { severity, clip, file, message, remedy = '' } of some.slice(0, shownOfKind)) {
      lines.push(
        `${severity.padEnd(7)} ${kind.padEnd(17)} ${clip}: ${`${message} ${remedy}`.trimEnd()} (${file})`,
      )
    }
    if (some.length > shownOfKind)
      lines.push(`${some[0]!.severity.padEnd(7)} ${kind.padEnd(17)} … ${some.length - shownOfKind} more`)
  }
  const splits = Object.entries(summary.splits).map(
    ([name, count]) => `${name === '' ? 'no split' : name} ${count}`,
  )
  return [
    ...lines,
    `${plural(summary.clips, 'clip')} (${splits.join(', ')}), ${plural(summary.captions, 'caption')}, ${(summary.seconds / 60).toFixed(1)} minutes of audio`,
    summary.bad === 0
      ? 'no bad clip'
      : `${plural(summary.bad, 'bad clip')} (${(100 * summary.badShare).toFixed(1)} %)`,
  ].join('\n')
}
