/**
 * `nx run bench:against --addon FILE [--only gemm,conv2d] [--isa avx2] [--threads 1] [--rounds 40] [--markdown FILE]`: every op of
 * this build beside the same op of another build's addon, in one process, on the same memory, taking turns. The ratio of their
 * times is given with the interval that a bootstrap over the rounds gives it; exit code 1 when an op is slower for certain by
 * more than `--limit` (0.02).
 */
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Rng } from '@sonotext/core/base'
import { type Addon, loadAddon, type NativeArgs, type OpName } from '@sonotext/native-cuda'
import { environment, environmentLine } from '../harness/environment.js'
import { interleaved, type Ratio, ratioOf } from '../harness/pairs.js'
import { type Column, digits, markdownTable } from '../harness/table.js'
import { everyOpRows } from './every-op.js'
import type { AnyKernelRow } from './kernel-rows.js'
import { supportedSets } from './kernel-subjects.js'

interface Result {
  readonly op: string
  readonly shape: string
  readonly isa: string
  readonly microseconds: number
  readonly ratio: Ratio
}

const columns: readonly Column<Result>[] = [
  { title: 'op', align: 'left', text: ({ op }) => op },
  { title: 'shape', align: 'left', text: ({ shape }) => shape },
  { title: 'isa', align: 'left', text: ({ isa }) => isa },
  { title: 'µs', align: 'right', text: ({ microseconds }) => digits(microseconds) },
  { title: 'time of this / other', align: 'right', text: ({ ratio }) => ratio.median.toFixed(3) },
  {
    title: '95 %',
    align: 'right',
    text: ({ ratio }) => `${ratio.low.toFixed(3)} – ${ratio.high.toFixed(3)}`,
  },
]

/** What an addon says of an op's arguments: only calls that both understand can be compared. */
function statement(addon: Addon, op: string): string | undefined {
  return JSON.stringify(addon.ops().find(({ name }) => name === op)?.args)
}

function runner(addon: Addon, isa: string, { op, args }: AnyKernelRow): () => void {
  const device = addon.openDevice('cpu', isa)
  return () => addon.run(device, op as OpName, args as NativeArgs<OpName>)
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      addon: { type: 'string' },
      only: { type: 'string' },
      isa: { type: 'string' },
      threads: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '40' },
      limit: { type: 'string', default: '0.02' },
      markdown: { type: 'string' },
    },
  })
  if (values.addon === undefined) throw new Error('Expected the file of the other addon for --addon.')
  const [own, other] = [loadAddon(), createRequire(import.meta.url)(resolve(values.addon)) as Addon]
  for (const addon of [own, other]) addon.setThreads(Number(values.threads))
  const only = values.only?.split(',')
  const rows = (await everyOpRows()).filter(({ op }) => only === undefined || only.includes(op))
  if (rows.length === 0) throw new Error(`Expected names of ops for --only, got ${values.only}.`)
  const sets = supportedSets().filter((isa) => (values.isa ?? supportedSets().at(-1)) === isa)
  const env = environment()
  const now = values.threads === '1' ? () => own.threadSeconds()! : () => performance.now() / 1000
  const rng = new Rng(1, 'bench/against')

  const results: Result[] = []
  for (const isa of sets) {
    for (const row of rows) {
      if (statement(own, row.op) !== statement(other, row.op)) {
        process.stderr.write(`${row.op}: left out, the other build states its arguments otherwise\n`)
        continue
      }
      const times = interleaved(runner(own, isa, row), runner(other, isa, row), {
        ...{ rounds: Number(values.rounds), seconds: 0.004, now },
      })
      const ratio = ratioOf(times, () => rng.uniform())
      results.push({ op: row.op, shape: row.shape, isa, microseconds: times.smallest * 1e6, ratio })
      process.stderr.write(`${row.op} ${row.shape}, ${isa}: ${ratio.median.toFixed(3)}\n`)
    }
  }
  const text = `${environmentLine(env)}; ${values.threads} threads; beside ${values.addon}\n\n${markdownTable(columns, results)}\n`
  process.stdout.write(text)
  if (values.markdown !== undefined) await writeFile(values.markdown, text)
  return results.some(({ ratio }) => ratio.low > 1 + Number(values.limit)) ? 1 : 0
}

process.exitCode = await main()
