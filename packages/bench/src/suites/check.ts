/**
 * `nx run bench:check [--slow OP]`: fails when a kernel lost its share of the multiply-add peak, against
 * baselines/kernels.json. Only shares of a peak measured in the same process are compared, so that it means the same on a
 * fast and on a slow machine. `--slow OP` lets that op run twice per repetition, to see the check fail. `--update` writes
 * the shares of this machine as the new baseline.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { writeFileAtomic } from '@sonotext/core/base'
import { environment, environmentLine } from '../harness/environment.js'
import { digits, markdownTable } from '../harness/table.js'
import { type Baseline, type Verdict } from './gates.js'
import { runGates } from './gate-subjects.js'

const file = fileURLToPath(new URL('../../baselines/kernels.json', import.meta.url))

const percent = (share: number | null): string => (share === null ? '–' : digits(share * 100))

function outcome({ share, passed }: Verdict): string {
  if (share === null) return 'not on this machine'
  return passed ? 'passed' : 'FAILED'
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { slow: { type: 'string' }, update: { type: 'boolean', default: false } },
  })
  const baseline = JSON.parse(await readFile(file, 'utf8')) as Baseline
  if (values.update) {
    const unreachable = {
      ...baseline,
      gates: baseline.gates.map((gate) => ({ ...gate, shareOfPeak: Infinity })),
    }
    const verdicts = await runGates(unreachable)
    const gates = verdicts.map(({ gate, share }, i) => ({
      ...{ subject: gate.subject },
      shareOfPeak: share === null ? baseline.gates[i]!.shareOfPeak : Math.round(share * 1000) / 1000,
    }))
    await writeFileAtomic(file, `${JSON.stringify({ ...baseline, gates }, null, 2)}\n`)
    return
  }
  const verdicts = await runGates(
    baseline,
    values.slow === undefined ? {} : { slowed: { op: values.slow, times: 2 } },
  )
  const table = markdownTable<Verdict>(
    [
      { title: 'kernel', align: 'left', text: ({ gate }) => gate.subject },
      { title: '% of peak', align: 'right', text: ({ share }) => percent(share) },
      { title: 'baseline', align: 'right', text: ({ gate }) => percent(gate.shareOfPeak) },
      { title: '', align: 'left', text: outcome },
    ],
    verdicts,
  )
  process.stdout.write(`${table}\n\n${environmentLine(environment())}\n`)
  const measured = verdicts.filter(({ share }) => share !== null)
  const failed = measured.filter(({ passed }) => !passed)
  if (measured.length === 0) {
    process.stderr.write('No gate of the baseline can be measured on this machine.\n')
  } else if (failed.length > 0) {
    process.stderr.write(
      `${failed.length} of ${measured.length} kernels are more than ${baseline.tolerance * 100} % below their baseline.\n`,
    )
  }
  process.exitCode = measured.length === 0 || failed.length > 0 ? 1 : 0
}

await main()
