/** The oldest Node.js that runs this; `engines` of the packages, bin/sonotext.js and the documents say the same. */
export const oldestNode = '22.13'

/** What to do about a version of Node.js that is too old; null where it is not. */
export function nodeProblem(version: string): string | null {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  const [wantedMajor, wantedMinor] = oldestNode.split('.').map(Number) as [number, number]
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return null
  return `Install Node.js ${oldestNode} or newer: this is ${version}, on which some commands fail.`
}
