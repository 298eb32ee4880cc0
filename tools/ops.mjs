#!/usr/bin/env node
// One op is stated once, in packages/native-cuda/native/core/ops.def. This writes everything that follows from it, and
// names what only people can write: kernels, CUDA pairs, the reference, cases and tolerances.
//
//   node tools/ops.mjs            writes the files that changed
//   node tools/ops.mjs --check    writes nothing; shows what differs and what is missing, exit 1 (npm test does this)
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as prettier from 'prettier'
import { coverageProblems } from './ops/coverage.mjs'
import { checks, drawnOps, fileOf, kernelList, opsHeader } from './ops/cpp.mjs'
import { difference } from './ops/difference.mjs'
import { parseOps } from './ops/parse.mjs'
import { edgeOps, portOps, referenceTable, signatures } from './ops/typescript.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const native = 'packages/native-cuda/native'
const core = 'packages/core-ts/src'

/** Path → its whole text. */
export async function generate(ops, page) {
  const files = new Map([
    [`${native}/core/ops.hpp`, opsHeader(ops)],
    [`${native}/core/check.cpp`, checks(ops)],
    [`${native}/cpu/isa/kernels.inl`, kernelList(ops)],
    [`${native}/test/drawn_ops.hpp`, drawnOps(ops)],
    ['packages/native-cuda/src/ops.d.ts', edgeOps(ops)],
    [`${core}/backend/ops.ts`, portOps(ops)],
    [`${core}/backend/signatures.ts`, signatures(ops)],
    [`${core}/backend/reference/table.ts`, referenceTable(ops)],
    ['docs/native.md', withList(page, ops)],
  ])
  const options = JSON.parse(readFileSync(join(root, '.prettierrc.json'), 'utf8'))
  for (const [path, text] of files) {
    if (/\.(ts|md)$/.test(path)) files.set(path, await prettier.format(text, { ...options, filepath: path }))
  }
  return files
}

/** The table of docs/native.md between its marks. */
function withList(page, ops) {
  const groups = [...Map.groupBy(ops, ({ group }) => group)]
  const rows = groups.map(
    ([group, own]) => `| ${group} | ${own.map(({ name }) => `\`${name}\``).join(', ')} |`,
  )
  const list = ['| group | ops |', '| --- | --- |', ...rows].join('\n')
  if (!/<!-- ops -->[\s\S]*?<!-- \/ops -->/.test(page))
    throw new Error('docs/native.md has no <!-- ops --> … <!-- /ops -->')
  return page.replace(/<!-- ops -->[\s\S]*?<!-- \/ops -->/, `<!-- ops -->\n\n${list}\n\n<!-- /ops -->`)
}

/** What a checkout lacks, as lines; empty when all is well. */
export async function problemsOf(ops, read) {
  const problems = []
  for (const [path, wanted] of await generate(ops, read('docs/native.md') ?? '')) {
    const found = read(path)
    if (found !== wanted)
      problems.push(`${path} does not follow from ops.def:${difference(found ?? '', wanted)}`)
  }
  return problems
}

async function main(check) {
  const read = (path) => (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined)
  const ops = parseOps(read(`${native}/core/ops.def`))
  if (!check) {
    for (const [path, text] of await generate(ops, read('docs/native.md'))) {
      if (read(path) === text) continue
      writeFileSync(join(root, path), text)
      console.log(`ops: wrote ${path}`)
    }
  }
  const list = (folder) => readdirSync(join(root, folder))
  const stale = check ? await problemsOf(ops, read) : []
  const missing = coverageProblems(ops, {
    kernels: new Map(
      list(`${native}/cpu/kernels`).map((file) => [file, read(`${native}/cpu/kernels/${file}`)]),
    ),
    cuda: list(`${native}/cuda`),
    reference: list(`${core}/backend/reference`),
    tolerance: read(`${core}/testing/tolerance.ts`),
    fileOf,
  })
  for (const line of [...stale, ...missing]) console.error(`ops: ${line}`)
  if (stale.length > 0) console.error('ops: run `node tools/ops.mjs` and commit what it writes')
  if (stale.length + missing.length > 0) process.exit(1)
  console.log(`ops: ${ops.length} ops, everything that follows from ops.def is up to date`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.includes('--check'))
