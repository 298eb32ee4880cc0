import { spawnSync } from 'node:child_process'

/** Runs `npm pack` in a folder without its scripts: `{ name, filename, bytes, unpacked, files }`, files sorted. */
export function packed(folder, options) {
  const args = ['pack', '--json', '--ignore-scripts', ...options]
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' })
  if (status !== 0) throw new Error(`npm pack in ${folder} failed:\n${stderr}`)
  const answer = JSON.parse(stdout)
  // npm 12 answers by name where older ones gave a list.
  const [{ name, filename, size, unpackedSize, files }] = Array.isArray(answer)
    ? answer
    : Object.values(answer)
  return { name, filename, bytes: size, unpacked: unpackedSize, files: files.map(({ path }) => path).sort() }
}
