#!/usr/bin/env node
// Installs tarballs of a folder that fit this platform into an empty project and runs a program there, natively:
// node tools/release/try-here.mjs FOLDER
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { anEngineInTenLines } from './programs.mjs'

const folder = resolve(process.argv[2] ?? '.')
const isForeign = (file) =>
  /native-(linux|darwin|win32)-/.test(file) && !file.includes(`native-${process.platform}-${process.arch}`)
const tarballs = readdirSync(folder).filter(
  (file) => file.endsWith('.tgz') && !isForeign(file) && !file.includes('-musl'),
)
if (tarballs.length === 0) throw new Error(`${folder} holds no tarballs. Run npm run release:pack first.`)
const project = mkdtempSync(join(tmpdir(), 'sonotext-try-'))
writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }')
writeFileSync(join(project, 'engine.mjs'), anEngineInTenLines)

const isWindows = process.platform === 'win32'
const inherit = { cwd: project, stdio: 'inherit', env: { ...process.env, SONOTEXT_REQUIRE_NATIVE: '1' } }
const files = tarballs.map((file) => join(folder, file))
const install = spawnSync(
  isWindows ? 'npm.cmd' : 'npm',
  ['install', '--ignore-scripts', '--no-audit', ...files],
  {
    ...inherit,
    shell: isWindows,
  },
)
process.exitCode = install.status || spawnSync(process.execPath, ['engine.mjs'], inherit).status
