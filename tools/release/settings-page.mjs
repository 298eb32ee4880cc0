// The page of settings in docs/results: what each was last seen to do, and at which commit.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, type } from 'node:os'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const fileOf = (ending) => fileURLToPath(new URL(`../../docs/results/settings.${ending}`, import.meta.url))

/** Puts the results of a run over those of earlier ones and writes the page. `settings` gives order and words. */
export function writeSettings(results, settings, { json = fileOf('json'), page = fileOf('md') } = {}) {
  const before = existsSync(json) ? JSON.parse(readFileSync(json, 'utf8')) : {}
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
  const date = new Date().toISOString().slice(0, 10)
  const now = Object.fromEntries(
    results.map(({ stage, outcome, why }) => [stage, { outcome, seen: withoutFolder(why), commit, date }]),
  )
  const all = { ...before, ...now }
  const known = settings.filter(({ name }) => name in all)
  const kept = Object.fromEntries(known.map(({ name }) => [name, all[name]]))
  writeFileSync(json, `${JSON.stringify(kept, null, 2)}\n`)
  const missing = settings.filter(({ name }) => !(name in all)).map(({ name }) => name)
  writeFileSync(page, render(known, kept, missing))
}

function withoutFolder(text) {
  return text.replaceAll(root, '')
}

function render(settings, rows, missing) {
  const cell = (text) => text.replaceAll('|', '\\|')
  const lines = settings.map(({ name, what }) => {
    const { outcome, seen, commit, date } = rows[name]
    return `| ${name} | ${cell(what)} | ${outcome} | ${cell(seen)} | ${commit}, ${date} |`
  })
  const count = (outcome) => settings.filter(({ name }) => rows[name].outcome === outcome).length
  return `# Settings that the library is linked in

Tarballs of every package installed into an empty project, without install scripts, and a program run there with the native backend required. The
README's twenty lines end with the third hit for "rain falls"; the shorter program prints the device, the frames and bands of a sound, and
the frame of an index that is nearest to its first.

${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped. ${cpus()[0]?.model.trim()}, ${type()} ${release()}, Node ${process.version} where the setting names none.

\`npm run release:dry -- --update\`

| setting | what | result | what was seen | at |
| --- | --- | --- | --- | --- |
${lines.join('\n')}
${missing.length === 0 ? '' : `\nNot run yet: ${missing.join(', ')}.\n`}
Contents and sizes of the packages are exact counters in \`docs/results/packages.json\`: a file more, or a package a twentieth larger, fails
the same command.
`
}
