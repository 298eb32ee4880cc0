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
    return found === undefined ? wanted.optional === true : found.version === wanted.version
  })
}
