import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { matrix } from '../base/matrix.js'
import { writeNpy } from '../base/npy.js'
import { writeSafetensors } from '../base/safetensors.js'
import { Batches } from '../data/index.js'
import { allOf } from '../testing/all-of.js'
import { openCorpus } from './corpus.js'
import { givenFeatures } from './given-features.js'
import { featureKinds } from './registry.js'

let folder = ''
const path = (name: string) => join(folder, name)
const numbers = (n: number, from = 0) => Float32Array.from({ length: n }, (_, i) => from + i)
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sonotext-given-'))
  await writeSafetensors(
    path('mixed.safetensors'),
    new Map([
      ['one', { shape: [3], data: numbers(3) }],
      ['many', { shape: [5, 3], data: numbers(15, 100) }],
    ]),
  )
  await writeNpy(path('rows.npy'), matrix(4, 2, numbers(8)))
})
afterAll(() => rmSync(folder, { recursive: true }))

const clips = [
  { id: 'many', audio: '/nowhere/many.wav', captions: [{ id: 'many#1', text: 'a' }] },
  { id: 'one', audio: '/nowhere/one.wav', captions: [{ id: 'one#1', text: 'b' }], duration: 7 },
]

describe('features that were made elsewhere', () => {
  it('that are not finite are refused by file, clip and frame', async () => {
    const data = numbers(15)
    data[10] = Number.NaN
    await writeSafetensors(path('nan.safetensors'), new Map([['many', { shape: [5, 3], data }]]))
    const kind = await givenFeatures(path('nan.safetensors'), { frameStep: 0.5 })
    await expect(kind.read('many', { from: 1 })).rejects.toThrow(
      /nan\.safetensors: expected finite numbers for "many", got NaN in frame 3/i,
    )
    expect((await kind.read('many', { frames: 3 })).rows).toBe(3)
  })

  it('are vectors and sequences by id, of a safetensors file', async () => {
    const kind = await givenFeatures(path('mixed.safetensors'), { frameStep: 0.5 })
    expect([kind.cols, kind.framesOf('one'), kind.framesOf('many'), kind.framesOf('none')]).toEqual([
      ...[3, 1, 5],
      undefined,
    ])
    expect(await kind.read('one')).toEqual(matrix(1, 3, numbers(3)))
    expect(await kind.read('many', { from: 1, frames: 2 })).toEqual(matrix(2, 3, numbers(6, 103)))
    expect((await kind.read('many', { from: 4, frames: 9 })).rows).toBe(1)
    await expect(kind.read('none')).rejects.toMatchObject({
      code: 'INVALID_DATA',
      file: path('mixed.safetensors'),
    })
  })

  it('are the rows of an NPY file, for captions as for clips', async () => {
    const kind = await givenFeatures(path('rows.npy'), { ids: ['a#1', 'a#2', 'b#1', 'b#2'] })
    expect(await kind.read('b#1')).toEqual(matrix(1, 2, numbers(2, 4)))
    expect(kind.frameStep).toBe(0)
  })

  it('are named in a configuration with a file of ids', async () => {
    writeFileSync(path('ids.txt'), 'a#1\r\na#2\nb#1\nb 2\n\n')
    const of = (config: object) => featureKinds.build({ type: 'given', file: path('rows.npy'), ...config })
    const kind = await of({ ids: path('ids.txt') })
    if (!('read' in kind)) throw new Error('not given features')
    expect(await kind.read('b 2')).toEqual(matrix(1, 2, numbers(2, 6)))
    writeFileSync(path('few.txt'), 'a#1\n')
    await expect(of({ ids: path('few.txt') })).rejects.toThrow(/4 ids, one for each row of .*rows\.npy/)
    await expect(of({ ids: path('no.txt') })).rejects.toMatchObject({ code: 'MISSING_FILE' })
  })

  it('go through a corpus without sound, cache or threads', async () => {
    const kind = await givenFeatures(path('mixed.safetensors'), { frameStep: 0.5 })
    await using corpus = await openCorpus({ features: kind, windows: { seconds: 1 } })
    const [many, one] = await allOf(corpus.read(clips))
    expect(many).toMatchObject({ frames: 5, frameStep: 0.5, duration: 2.5, computed: false })
    expect(one).toMatchObject({ frames: 1, duration: 7, features: matrix(1, 3, numbers(3)) })
    expect((await corpus.source(clips[0]!, { crop: { frames: 2, at: 0.99 } })).features).toEqual(
      matrix(2, 3, numbers(6, 109)),
    )
    const windows = await allOf(corpus.windows(clips[0]!))
    expect(windows.map(({ features, start }) => [features.rows, start])).toEqual([
      [2, 0],
      [2, 1],
      [1, 2],
    ])
    const strange = { ...clips[0]!, id: 'strange' }
    const { quarantine } = await corpus.sift([...clips, strange], { maxBadShare: 1 })
    expect(quarantine.clips.map(({ id }) => id)).toEqual(['strange'])
    const data = new Batches({
      clips,
      features: corpus.source,
      encode: () => Int32Array.of(1),
      batchSize: 2,
      seed: 1,
    })
    const [batch] = await allOf(data.epoch())
    expect(batch!.audio).toMatchObject({ n: 2, t: 5, bands: 3 })
    expect(corpus.stats.audioFiles).toBe(0)
  })

  it('other files and other options have other ids', async () => {
    const ids = ['a', 'b', 'c', 'd']
    const id = async (name: string, options = {}) => (await givenFeatures(path(name), options)).id
    const all = await Promise.all([
      id('mixed.safetensors'),
      id('mixed.safetensors', { frameStep: 1 }),
      id('rows.npy', { ids }),
      id('rows.npy', { ids: ids.toReversed() }),
    ])
    expect(new Set(all).size).toBe(4)
    expect(await id('rows.npy', { ids })).toBe(all[2])
  })

  it('refuses what does not fit, with the file', async () => {
    const write = (name: string, shape: number[], other: number[]) =>
      writeSafetensors(
        path(name),
        new Map(
          [shape, other].map((s, i) => [`t${i}`, { shape: s, data: numbers(s.reduce((a, b) => a * b, 1)) }]),
        ),
      )
    await write('cols.safetensors', [2, 3], [4])
    await write('deep.safetensors', [2, 3], [1, 1, 3])
    await expect(givenFeatures(path('cols.safetensors'))).rejects.toThrow(
      /vectors of 3 numbers.* got 4 for "t1"/,
    )
    await expect(givenFeatures(path('deep.safetensors'))).rejects.toMatchObject({ code: 'INVALID_FILE' })
    await expect(givenFeatures(path('rows.npy'))).rejects.toThrow(/4 ids, one for each row/)
    writeFileSync(path('rows.ids.txt'), 'a\nb\n')
    await expect(givenFeatures(path('rows.npy'))).rejects.toThrow(/4 ids, .*rows\.ids\.txt/)
    writeFileSync(path('rows.ids.txt'), 'a\nb c\r\nd\ne')
    expect((await givenFeatures(path('rows.npy'))).framesOf('b c')).toBe(1)
    rmSync(path('rows.ids.txt'))
    await expect(givenFeatures(path('rows.npy'), { ids: ['a', 'a', 'b', 'c'] })).rejects.toThrow(
      /ids that differ/,
    )
    await expect(givenFeatures(path('mixed.safetensors'), { ids: ['a'] })).rejects.toThrow(/no ids/)
    await expect(givenFeatures(path('none.npy'))).rejects.toMatchObject({ code: 'MISSING_FILE' })
    writeFileSync(path('text.npy'), 'not numbers at all')
    await expect(givenFeatures(path('text.npy'))).rejects.toMatchObject({ code: 'INVALID_FILE' })
    await expect(givenFeatures(path('rows.npy'), { frameStep: -1 })).rejects.toThrow(/frameStep/)
  })
})
