#!/usr/bin/env node
// Makes the pictures of pages and reports in docs/pictures: node tools/docs/pictures.mjs. Needs a headless Chromium; trains the run of the
// first example to have something to show.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const work = join(root, 'build', 'pictures')
const out = join(root, 'docs', 'pictures')
for (const folder of [work, out]) mkdirSync(folder, { recursive: true })

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { cwd: work, stdio: 'inherit' })
  if (status === 0) return
  console.error(`pictures: ${[command, ...args].join(' ')} failed${error ? `: ${error.message}` : ''}.`)
  process.exit(1)
}
const sonotext = (...args) => run(process.execPath, join(root, 'packages', 'cli', 'dist', 'main.js'), ...args)

function picture(name, page, size) {
  const options = ['--headless', '--no-sandbox', '--hide-scrollbars', '--force-color-profile=srgb']
  const to = [`--window-size=${size}`, `--screenshot=${join(out, `${name}.png`)}`]
  run('chromium', ...options, '--virtual-time-budget=4000', ...to, pathToFileURL(page).href)
}

if (!existsSync(join(work, 'run', 'model.safetensors')))
  run(process.execPath, join(root, 'examples', 'quickstart.mjs'))
const caption = 'a dog barks while rain falls'
sonotext('align', 'run', 'scenes/audio/test-0.wav', caption, '--page', 'alignment.html')
sonotext('report', 'run', '--out', 'report.html')
sonotext('relevance', 'page', 'scenes/manifest.jsonl', '--out', 'listening', '--queries', '4')
picture('alignment', join(work, 'alignment.html'), '900,760')
picture('report', join(work, 'report.html'), '900,900')
picture('negatives', join(root, 'docs', 'results', 'negatives', 'report.html'), '900,900')
picture('listening', join(work, 'listening', 'index.html'), '900,560')
