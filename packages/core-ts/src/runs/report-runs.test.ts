import { mkdtemp, rm, writeFile, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseConfig, reportRuns, runFiles } from './index.js'

let folder: string
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sonotext-report-'))))
afterAll(() => rm(folder, { recursive: true }))

async function run(name: string, lr: number, lines: readonly string[], more: object = {}): Promise<string> {
  const path = join(folder, name)
  await mkdir(path)
  const config = parseConfig({ data: { manifest: '/m.jsonl' }, optimizer: { type: 'adam', lr }, ...more })
  await writeFile(join(path, runFiles.config), JSON.stringify(config))
  await writeFile(join(path, runFiles.log), lines.map((line) => `${line}\n`).join(''))
  return path
}
const line = (kind: string, epoch: number, more: object = {}): string =>
  JSON.stringify({ time: 't', kind, step: 10 * epoch, epoch, ...more })
const history = (values: readonly number[]): string[] => [
  line('start', 0),
  ...values.map((value, i) => line('epoch', i + 1, { trainLoss: 2 - value, 'validation.mAP@10': value })),
]

it('draws every number of every run, the best of each and the keys that differ', async () => {
  const a = await run('a', 0.001, [
    ...history([0.9, 0.8]),
    ...history([0.1, 0.35, 0.2]),
    line('warning', 3, { message: 'Sign of <collapse>' }),
  ])
  const b = await run('b', 0.002, [...history([0.15]), '{"time":"t","kind":"epo'])
  const page = await reportRuns([a, b])
  // What an earlier run left in the log is not this one's.
  expect(page).toContain('0.35 (2)')
  expect(page).not.toContain('0.9 (1)')
  expect(page).toContain('1.65 (2)')
  expect(page).toContain('0.15 (1)')
  expect(page).toMatch(/optimizer\.lr.*0\.001.*0\.002/)
  expect(page).not.toMatch(/optimizer\.eps/)
  expect(page).toContain('Sign of &lt;collapse&gt;')
  expect(page.match(/<figcaption/g)).toHaveLength(2)
})

it('takes the best of each number as the number says, and of signs of collapse none', async () => {
  const epochs = [
    { 'validation.loss': 0.9, 'validation.triplet-random': 0.9995, 'validation.medR': 9, 'validation.clipCosine': 0.99 },
    { 'validation.loss': 0.8, 'validation.triplet-random': 0.7, 'validation.medR': 4, 'validation.clipCosine': 0.5 },
  ] // prettier-ignore
  const lines = [line('start', 0), ...epochs.map((values, i) => line('epoch', i, values))]
  const validation = { yardsticks: [{ type: 'triplet', negatives: 'random' }] }
  const page = await reportRuns([await run('directions', 1, lines, { validation })])
  const [, table] = /Best value over the epochs([^]*?)<\/table>/.exec(page)!
  expect(table).toContain('0.8 (1)')
  expect(table).toContain('0.7 (1)')
  expect(table).toContain('4 (1)')
  expect(table).not.toContain('clipCosine')
})

it('says what is wrong with a folder or a log', async () => {
  await expect(reportRuns([folder])).rejects.toMatchObject({ code: 'MISSING_FILE' })
  const odd = await run('odd', 1, [line('start', 0), 'a line', line('end', 1)])
  await expect(reportRuns([odd])).rejects.toMatchObject({
    code: 'INVALID_FILE',
    message: expect.stringContaining('line 2') as string,
  })
})
