/**
 * The speed check for projects that use Sonotext: two versions of the library on this machine, taking turns, on what the library does and
 * on the project's own functions. The command line has it as `sonotext bench check`.
 */
export { CheckError } from './check/check-error.js'
export { compareBuilds, type CompareOptions, slowOf } from './check/compare.js'
export { exitCodeOf, type Finding, type Verdict } from './check/finding.js'
export { report, type ReportContext } from './check/report.js'
export type { OwnContext, OwnFunction } from './check/subjects.js'
export { type Build, installedBuild, namedBuild } from './check/versions.js'
export { environment, environmentLine } from './harness/environment.js'
