#!/usr/bin/env node
// What the package @sonotext/core takes as it is published: bytes of .js and .d.ts by folder, without source maps, testing/ and the
// CommonJS twin, beside an earlier build. That one is taken as its `npm pack` gives it: build it into an empty dist first, or files of
// sources that are gone would count.
//
//   node tools/pack-size.mjs [FOLDER OF packages/core-ts OF AN EARLIER CLONE]
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { stage } from './release/stage.mjs'

const [earlier] = process.argv.slice(2)

/** Bytes by folder of dist; '' holds the package's own index. */
function sizes(folder) {
  const json = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: folder,
    encoding: 'utf8',
  })
  const parsed = JSON.parse(json)
  const [pack] = Array.isArray(parsed) ? parsed : Object.values(parsed)
  const bytes = new Map()
  for (const { path, size } of pack.files) {
    const inside = /^dist\/(?:(.*?)\/)?[^/]*\.(?:js|d\.ts)$/.exec(path)
    if (inside === null) continue
    const name = (inside[1] ?? '').split('/')[0]
    if (name !== 'testing') bytes.set(name, (bytes.get(name) ?? 0) + size)
  }
  return bytes
}

const staged = mkdtempSync(join(tmpdir(), 'sonotext-pack-size-'))
const now = sizes(stage('core-ts', staged, []))
rmSync(staged, { recursive: true })
const before = earlier === undefined ? new Map() : sizes(resolve(earlier))
const total = (of) => [...of.values()].reduce((sum, size) => sum + size, 0)
const number = (value) => (value === undefined ? '–' : value.toLocaleString('en'))
const rows = [...new Set([...before.keys(), ...now.keys()])].sort().map((name) => {
  return [name === '' ? 'index' : name, number(before.get(name)), number(now.get(name))]
})
rows.push(['all', number(total(before)), number(total(now))])
console.log('| folder | before | now |\n| --- | ---: | ---: |')
for (const row of rows) console.log(`| ${row.join(' | ')} |`)
