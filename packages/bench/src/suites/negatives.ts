/**
 * What the choice of negatives does: `nx run bench:negatives`. See `--help`, and docs/guide/negatives.md.
 */
import '../direct.js'
import { runStudy } from '../negatives/study.js'

process.exitCode = await runStudy(process.argv.slice(2))
