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

  it('on resume drops later steps and a line cut in half; a new run starts over', async () => {
    const path = join(folder, 'log.jsonl')
    const step = (n: number) => ({ kind: 'step', step: n, epoch: n, values: { n } }) as const
    const logger = jsonlLogger(path)
    logger.open(0)
    for (const n of [1, 2, 3]) logger.write(step(n))
    logger.close()
    await writeFile(path, `${await readFile(path, 'utf8')}{"step":4,"lo`)
    logger.open(2)
    logger.write(step(3))
    logger.close()
    expect((await lines(path)).map(({ n }) => n)).toEqual([1, 2, 3])
    logger.open(0)
    logger.write(step(1))
    logger.close()
    expect((await lines(path)).map(({ n }) => n)).toEqual([1])
  })

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
