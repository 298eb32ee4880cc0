export { fuzz, type FuzzOptions, type FuzzProblem, type FuzzReport } from './fuzz.js'
