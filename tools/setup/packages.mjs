/**
 * Whether node_modules holds what package-lock.json asks for. npm writes what it installed to
 * node_modules/.package-lock.json; optional packages of other platforms may be missing there.
 */
export function installedMatches(lock, installed) {
  if (installed === undefined) return false
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (path === '' || !path.includes('node_modules/')) return true
    const found = installed.packages?.[path]
    // A package of this workspace: linked, and to the folder that it lies in now.
    if (wanted.link) return found?.link === true && found.resolved === wanted.resolved
    if (found !== undefined) return found.version === wanted.version
    const owner = path.slice(0, Math.max(0, path.lastIndexOf('/node_modules/')))
    return isForOtherPlatforms(wanted) || (owner !== '' && installed.packages?.[owner] === undefined)
  })
}

/** Optional packages that are for some platforms only; the others are wanted wherever they install. */
function isForOtherPlatforms({ optional, os, cpu, libc }) {
  return optional === true && (os ?? cpu ?? libc) !== undefined
}
