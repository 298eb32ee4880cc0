#!/usr/bin/env node
// Builds the documentation into build/site, whole: `npm run docs`. The page of errors is compared with the source, the reference is made
// by typedoc with every warning an error, and a link that leads nowhere, to a page or to a section of one, ends it.
//
//   npm run docs [-- --serve]    --serve: shows it on a port of this machine
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { brokenLinks } from './links.mjs'
import { layOutPages } from './pages.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(here, '../..')
const out = join(root, 'build', 'site')

function step(what, command, args, cwd = root) {
  console.log(`docs: ${what} …`)
  const { status } = spawnSync(command, args, { cwd, stdio: 'inherit', shell: process.platform === 'win32' })
  if (status !== 0) {
    console.error(`docs: ${what} failed.`)
    process.exit(1)
  }
}

step('the page of errors', process.execPath, [join(root, 'tools', 'error-docs.mjs'), '--check'])
if (!existsSync(join(here, 'node_modules', 'vitepress')))
  step('installing vitepress', 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], here)
const pages = join(root, 'build', 'site-pages')
layOutPages(root, pages)
const typedoc = join(root, 'node_modules', 'typedoc', 'bin', 'typedoc')
const reference = ['--options', join(here, 'typedoc.json'), '--out', join(pages, 'public', 'api')]
step('the reference', process.execPath, [typedoc, ...reference])
process.env.VITE_EXTRA_EXTENSIONS = 'py' // files to fetch, not pages
const { build, serve } = await import('vitepress')
await build(join(here, 'site'), { outDir: out })
const broken = brokenLinks(out)
for (const line of broken) console.error(`docs: ${line} leads nowhere`)
if (broken.length > 0) process.exit(1)
console.log(`docs: ${out}`)
if (process.argv.includes('--serve')) await serve(join(here, 'site'))
