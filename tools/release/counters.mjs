// Contents of the packages as exact counters: a file more, or a test among them, is seen in the change that brings it.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const file = fileURLToPath(new URL('../../docs/results/packages.json', import.meta.url))

/**
 * Files by kind and KiB unpacked, of every package but those of platforms, whose one addon another compiler makes of another size.
 */
export function countersOf(tarballs) {
  const counted = tarballs.filter(({ name }) => !/^@sonotext\/native-(?!cuda$)/.test(name))
  return Object.fromEntries(
    counted.map(({ name, files, unpacked }) => {
      const kinds = {}
      for (const path of files) {
        const kind = kindOf(path)
        kinds[kind] = (kinds[kind] ?? 0) + 1
      }
      const sorted = Object.fromEntries(Object.entries(kinds).sort(([a], [b]) => (a < b ? -1 : 1)))
      return [name, { files: sorted, kib: Math.round(unpacked / 1024) }]
    }),
  )
}

function kindOf(path) {
  const [top] = path.split('/')
  const ending = /(\.d\.ts|\.[a-z]+)$/.exec(path)?.[1] ?? ''
  return path.includes('/') ? `${top}/**${ending}` : path
}

export function writeCounters(tarballs) {
  writeFileSync(file, JSON.stringify(countersOf(tarballs), null, 2) + '\n')
}

/** What differs from the committed counters, in words: files exactly, sizes from a twentieth on. */
export function differences(
  tarballs,
  before = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {},
) {
  const now = countersOf(tarballs)
  return Object.keys({ ...before, ...now }).flatMap((name) => {
    const none = { files: {}, kib: 0 }
    const [was, is] = [before[name] ?? none, now[name] ?? none]
    const kinds = Object.keys({ ...was.files, ...is.files })
      .filter((kind) => was.files[kind] !== is.files[kind])
      .map((kind) => `${name}: ${kind} was ${was.files[kind] ?? 0} files, is ${is.files[kind] ?? 0}`)
    const grown = Math.abs(is.kib - was.kib) > was.kib / 20
    return grown ? [...kinds, `${name}: unpacked ${was.kib} KiB, is ${is.kib}`] : kinds
  })
}
