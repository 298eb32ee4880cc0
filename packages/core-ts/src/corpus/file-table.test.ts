import { execFile } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileTable, type FileFacts } from './file-table.js'

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sonotext-table-'))
  path = join(folder, 'deep', 'files.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true }))

const facts = (n: number): FileFacts => ({
  ...{ size: n, mtimeNs: 1_700_000_000_000_000_001n + BigInt(n), content: n.toString(16).padStart(64, '0') },
  ...{ frames: n, frameStep: 0.02, duration: n / 50, constant: n % 2 === 0 },
})
async function written(from: number, to: number): Promise<void> {
  await using table = await FileTable.open(path)
  for (let n = from; n < to; n++) table.set(`/a "strange" näme\n${n}`, facts(n))
}
const get = async (n: number) =>
  (await FileTable.open(path, { readOnly: true })).get(`/a "strange" näme\n${n}`)
const lines = () => readFileSync(path, 'utf8').split('\n').filter(Boolean).length

describe('the table of known files', () => {
  it('keeps every number exactly, and the last word on a path', async () => {
    await written(0, 600)
    expect(await get(0)).toEqual(facts(0))
    expect(await get(599)).toEqual(facts(599))
    expect(await get(600)).toBeUndefined()
    await using table = await FileTable.open(path)
    table.set('/a "strange" näme\n7', facts(8))
    await table.flush()
    expect(await get(7)).toEqual(facts(8))
    expect(table.size).toBe(600)
  })

  it('what a crash cut off costs itself alone', async () => {
    await written(0, 3)
    truncateSync(path, readFileSync(path).length - 20)
    await written(3, 5)
    expect(await Promise.all([0, 1, 2, 3, 4].map(get))).toEqual([
      ...[0, 1].map(facts),
      undefined,
      ...[3, 4].map(facts),
    ])
  })

  it('a line with one changed sign is passed over, and so is what is no line', async () => {
    await written(0, 3)
    writeFileSync(path, readFileSync(path, 'utf8').replace('"1700000000000000002"', '"1700000000000000009"'))
    appendFileSync(path, '{"not": "ours"}\n\u0000\u0000\u0000\u0000\n')
    expect(await Promise.all([0, 1, 2].map(get))).toEqual([facts(0), undefined, facts(2)])
  })

  it('is written anew when most of it no longer counts, and keeps what others wrote meanwhile', async () => {
    for (let round = 0; round < 4; round++) await written(0, 600)
    expect(lines()).toBe(2400)
    await written(600, 601)
    expect(lines()).toBe(601)
    expect(await get(599)).toEqual(facts(599))
    expect(await get(600)).toEqual(facts(600))
  })

  it('is left as it is where it may only be read', async () => {
    await written(0, 2)
    const before = readFileSync(path, 'utf8')
    {
      await using table = await FileTable.open(path, { readOnly: true })
      table.set('/new', facts(3))
      expect(table.get('/new')).toEqual(facts(3))
    }
    expect(readFileSync(path, 'utf8')).toBe(before)
  })

  it('a folder that cannot be written to stands in the way of nothing', async () => {
    writeFileSync(join(folder, 'deep'), '')
    await using table = await FileTable.open(path)
    table.set('/x', facts(1))
    await table.flush()
    expect(table.get('/x')).toEqual(facts(1))
  })

  it('a lock that another holds is waited for', async () => {
    await written(0, 1)
    writeFileSync(`${path}.lock`, JSON.stringify({ pid: process.pid, host: 'elsewhere', token: 'x' }))
    const writing = written(1, 2)
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(await get(1)).toBeUndefined()
    rmSync(`${path}.lock`)
    await writing
    expect(await get(1)).toEqual(facts(1))
  })

  it('processes that write and rewrite at once lose nothing', async ({ skip }) => {
    const dist = fileURLToPath(new URL('../../dist/corpus/file-table.js', import.meta.url))
    skip(!existsSync(dist), 'the TypeScript is not built: npm run setup')
    const code = `
      const { FileTable } = await import(${JSON.stringify(dist)})
      const [path, from] = [process.argv[1], Number(process.argv[2])]
      for (let round = 0; round < 12; round++) {
        await using table = await FileTable.open(path)
        for (let n = from; n < from + 300; n++) table.set('/' + n, {
          size: n, mtimeNs: BigInt(n), content: 'c' + n, frames: n, frameStep: 1, duration: n, constant: false })
      }`
    const run = (from: number) =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', code, path, String(from)])
    await Promise.all([run(0), run(300), run(600)])
    const table = await FileTable.open(path, { readOnly: true })
    expect(table.size).toBe(900)
    for (let n = 0; n < 900; n++) expect(table.get(`/${n}`)?.content).toBe(`c${n}`)
    // It was rewritten on the way: three times 300 lines and some slack.
    expect(lines()).toBeLessThan(3 * 12 * 300)
  })
})
