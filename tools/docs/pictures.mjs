#!/usr/bin/env node
// Makes the pictures of pages and reports in docs/pictures, 1000 × 900 pixels each:
//
//   node tools/docs/pictures.mjs TOWER.onnx
//
// Composes scenes, trains three heads behind an audio tower (sonotext models tells where they are), and looks at what comes of it in a
// headless Chromium. What is made stays in build/pictures: another call takes the pictures anew.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const work = join(root, 'build', 'pictures')
const out = join(root, 'docs', 'pictures')
const tower = process.argv[2] && resolve(process.argv[2])
if (tower === undefined) {
  console.error('pictures: name the file of an audio tower. npx sonotext models tells where they are.')
  process.exit(2)
}
for (const folder of [work, out]) mkdirSync(folder, { recursive: true })

function sonotext(...args) {
  const program = join(root, 'packages', 'cli', 'dist', 'main.js')
  const { status } = spawnSync(process.execPath, [program, ...args], { cwd: work, stdio: 'inherit' })
  if (status === 0) return
  console.error(`pictures: sonotext ${args.join(' ')} failed.`)
  process.exit(1)
}

if (!existsSync(join(work, 'scenes', 'manifest.jsonl')))
  sonotext(
    'compose',
    '--out',
    'scenes',
    '--split',
    'train=240',
    '--split',
    'validation=60',
    '--split',
    'test=20',
  )
const losses = {
  'info-nce': { type: 'info-nce', learnable: true },
  'semi-hard': { type: 'triplet', margin: 1, negatives: 'semi-hard' },
  random: { type: 'triplet', margin: 1, negatives: 'random' },
}
for (const [run, loss] of Object.entries(losses)) {
  if (existsSync(join(work, run, 'model.safetensors'))) continue
  const values = {
    'data.manifest': 'scenes/manifest.jsonl',
    'features.model': tower,
    'data.validationSplit': 'validation',
    loss: JSON.stringify(loss),
  }
  const set = Object.entries(values).flatMap(([key, value]) => ['--set', `${key}=${value}`])
  sonotext('train', '--run', run, '-c', join(root, 'examples', 'configs', 'alignment.yaml'), ...set)
}

const [clip] = readFileSync(join(work, 'scenes', 'manifest.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line))
  .filter(({ split, tags }) => split === 'test' && tags.length >= 3)
sonotext('align', 'info-nce', join('scenes', clip.audio), clip.captions[0], '--page', 'alignment.html')
sonotext('report', ...Object.keys(losses), '--out', 'report.html')
sonotext('relevance', 'page', 'scenes/manifest.jsonl', '--out', 'listening', '--queries', '4')

const { chromium, openPage } = await import('../../packages/core-ts/dist/testing/browser.js')

/** A picture of a page, after `look` has done there what a reader would. */
async function picture(name, file, look) {
  const page = await openPage(chromium(), pathToFileURL(file).href)
  try {
    await look?.(page)
    await page.screenshot(join(out, `${name}.png`), 900)
  } finally {
    await page[Symbol.asyncDispose]()
  }
}
await picture('alignment', join(work, 'alignment.html'))
await picture('report', join(work, 'report.html'))
await picture('negatives', join(root, 'docs', 'results', 'negatives', 'report.html'))
await picture('listening', join(work, 'listening', 'index.html'), async (page) => {
  await page.click('button.main')
  await page.until("document.querySelector('section.clip button')")
})
