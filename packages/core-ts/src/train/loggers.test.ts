import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { jsonlLogger, tensorBoardLogger } from './loggers.js'
import { crc32c } from './tensorboard.js'

let folder: string
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'sonotext-'))))
afterEach(() => rm(folder, { recursive: true }))

describe('JSONL', () => {
  const lines = async (path: string): Promise<Record<string, unknown>[]> =>
    (await readFile(path, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)

  it('writes one object a line, numbers that JSON cannot hold as strings', async () => {
    const path = join(folder, 'deep', 'log.jsonl')
    const logger = jsonlLogger(path)
    logger.open(0)
    logger.write({ kind: 'step', step: 1, epoch: 0.5, values: { loss: 1.5, gradNorm: Infinity } })
    logger.write({ kind: 'warning', step: 1, epoch: 0.5, values: {}, message: 'careful' })
    logger.close()
    const [first, second] = await lines(path)
    expect(first).toMatchObject({ kind: 'step', step: 1, epoch: 0.5, loss: 1.5, gradNorm: 'Infinity' })
    expect(Date.parse(first!['time'] as string)).toBeGreaterThan(0)
    expect(second).toMatchObject({ kind: 'warning', message: 'careful' })
  })

  const step = (n: number) => ({ kind: 'step', step: n, epoch: n, values: { n } }) as const
  const start = (n: number) => ({ kind: 'start', step: n, epoch: n, values: {}, message: 'run' }) as const

  /** What a run writes that begins after `from` steps and ends after `to`. */
  function run(path: string, from: number, to: number): void {
    const logger = jsonlLogger(path)
    logger.open(from)
    logger.write(start(from))
    for (let n = from + 1; n <= to; n++) logger.write(step(n))
    logger.close()
  }
  const shown = async (path: string) =>
    (await lines(path)).map(({ kind, step }) => (kind === 'start' ? `from ${String(step)}` : step))

  it('on resume drops the later steps of the run and a line cut in half', async () => {
    const path = join(folder, 'log.jsonl')
    run(path, 0, 3)
    await writeFile(path, `${await readFile(path, 'utf8')}{"step":4,"lo`)
    run(path, 2, 3)
    expect(await shown(path)).toEqual(['from 0', 1, 2, 'from 2', 3])
  })

  it('keeps what earlier runs wrote into the file, also when a later one is resumed', async () => {
    const path = join(folder, 'log.jsonl')
    run(path, 0, 3)
    run(path, 0, 2)
    run(path, 1, 2)
    expect(await shown(path)).toEqual(['from 0', 1, 2, 3, 'from 0', 1, 'from 1', 2])
  })

  it.each(['my notes', 'my notes\nof today\n', '{"a": 1}\n', '[1, 2]'])(
    'leaves a file alone that is no log: %j',
    async (text) => {
      const path = join(folder, 'notes')
      await writeFile(path, text)
      for (const at of [0, 3]) {
        expect(() => jsonlLogger(path).open(at)).toThrow(
          expect.objectContaining({ code: 'INVALID_FILE', file: path }),
        )
      }
      expect(await readFile(path, 'utf8')).toBe(text)
    },
  )

  it('names the file that cannot be written', () => {
    expect(() => jsonlLogger('/dev/null/log.jsonl').open(0)).toThrow(
      expect.objectContaining({ code: 'WRITE_FAILED', file: '/dev/null/log.jsonl' }),
    )
  })

  it.skipIf(process.platform !== 'linux')('says so when the disk is full', () => {
    const logger = jsonlLogger('/dev/full')
    logger.open(0)
    expect(() => logger.write({ kind: 'step', step: 1, epoch: 0, values: {} })).toThrow(
      /\/dev\/full.*ENOSPC.*Free disk space/,
    )
    logger.close()
  })
})

/** An independent reader of the record framing. */
function records(bytes: Buffer): Buffer[] {
  const all: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(at))
    const data = bytes.subarray(at + 12, at + 12 + length)
    const unmask = (masked: number): number => {
      const rotated = (masked - 0xa282ead8) >>> 0
      return ((rotated << 15) | (rotated >>> 17)) >>> 0
    }
    expect(unmask(bytes.readUInt32LE(at + 8))).toBe(crc32c(bytes.subarray(at, at + 8)))
    expect(unmask(bytes.readUInt32LE(at + 12 + length))).toBe(crc32c(data))
    all.push(data)
    at += 16 + length
  }
  return all
}

describe('TensorBoard', () => {
  it('has the known CRC-32C of the standard check string', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
  })

  it('writes framed events whose bytes are those of the protocol', async () => {
    const logger = tensorBoardLogger(folder)
    logger.open(0)
    logger.write({ kind: 'step', step: 300, epoch: 1, values: { loss: 0.5 } })
    logger.write({ kind: 'warning', step: 300, epoch: 1, values: {}, message: 'no scalars, no event' })
    logger.close()
    const [name] = await readdir(folder)
    expect(name).toMatch(/^events\.out\.tfevents\.\d+\./)
    const events = records(await readFile(join(folder, name!)))
    expect(events.map((event) => event.subarray(9).toString('hex'))).toEqual([
      // step 0, file_version
      `10001a0d${Buffer.from('brain.Event:2').toString('hex')}`,
      // step 300 as a varint, summary{ value{ tag, simple_value 0.5 } }
      `10ac022a120a100a09${Buffer.from('step/loss').toString('hex')}150000003f`,
    ])
  })

  it('a resumed run tells where the earlier events end', async () => {
    const logger = tensorBoardLogger(folder)
    logger.open(300)
    logger.close()
    const events = records(await readFile(join(folder, (await readdir(folder))[0]!)))
    expect(events[1]!.subarray(9).toString('hex')).toBe('10ad023a020801')
  })
})
