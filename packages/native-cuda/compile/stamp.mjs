import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'

/** Files below `folders` (and single files), as sorted absolute paths. */
export function filesBelow(paths) {
  const found = []
  for (const path of paths) {
    if (!existsSync(path)) continue
    const entries = readdirSync(path, { withFileTypes: true, recursive: true })
    for (const entry of entries) {
      if (entry.isFile()) found.push(join(entry.parentPath ?? entry.path, entry.name))
    }
  }
  return found.sort()
}

/** One hash over names and contents. Times of files do not matter: a fresh checkout of the same sources is the same. */
export function hashFiles(root, files) {
  const hash = createHash('sha256')
  for (const file of files) {
    const content = readFileSync(file)
    hash.update(`${relative(root, file).split(sep).join('/')}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}

/** The stamp left by the last build, or undefined. */
export function readStamp(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

export function writeStamp(file, stamp) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.tmp`, JSON.stringify(stamp, null, 2) + '\n')
  renameSync(`${file}.tmp`, file)
}

/**
 * What has to be done: nothing, an incremental build (sources changed), or one from scratch (the tools changed: what they
 * left behind may not fit).
 */
export function compareStamps(before, now) {
  if (before === undefined || JSON.stringify(before.tools) !== JSON.stringify(now.tools)) return 'everything'
  return before.sources === now.sources ? 'nothing' : 'changes'
}
