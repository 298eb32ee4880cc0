import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBackend } from '../../backend/index.js'
import { encodeSafetensors, matrix, Rng, row, writeNpy } from '../../base/index.js'
import { tinyTextTower, tinyTokenizer } from '../../testing/tiny-onnx.js'
import { latentSemantics } from '../../text/index.js'
import { parseRatings } from '../read-ratings.js'
import { aggregateRatings } from '../relevances.js'
import { applyRelevance } from './apply.js'
import { captionedClips, readCaptions } from './captioned.js'
import { fitQuality, fitRelevance, ratedPairs } from './fit.js'
import { RelevanceModel } from './model.js'
import { namedFeatures } from './named-features.js'
import { decodeRelevanceModel, loadRelevanceModel, saveRelevanceModel } from './saved.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-similarity-'))
})
afterAll(() => rm(folder, { recursive: true }))

const backend = openBackend({ device: 'reference' })
// Clips of one or two of five things; clips that share a thing are relevant to each other's captions by half.
const things = ['dogs barking', 'rain falling', 'a bell ringing', 'a car passing', 'birds singing']
const rng = new Rng(5, 'corpus')
const clips = Array.from({ length: 30 }, (_, c) => ({ id: `c${c}`, of: [c % 5, (c * 3 + 1) % 5] }))
const captions = captionedClips(
  clips.flatMap(({ id, of }, c) =>
    Array.from({ length: c === 29 ? 1 : 3 }, (_, k) => ({
      id: `${id}#${k + 1}`,
      clip: id,
      text: `${rng.pick(['there is', 'one hears', 'the sound of'])} ${things[of[0]!]} and ${things[of[1]!]}`,
    })),
  ),
)
const shared = (a: number, b: number) =>
  clips[a]!.of.filter((thing) => clips[b]!.of.includes(thing)).length / 2
const relevances = aggregateRatings(
  parseRatings(
    [
      'query,item,relevance',
      ...[0, 3, 7, 11, 16, 22].flatMap((q) =>
        Array.from({ length: 12 }, (_, i) => `c${q}#1,c${(q + i) % 29},${shared(q, (q + i) % 29)}`),
      ),
    ].join('\n'),
    'x.csv',
  ),
)
const texts = captions.captions.map(({ text }) => text)
const options = { texts, seed: 17 }

describe('fitting', () => {
  test('similar captions make relevance; whole queries are left out in turn', async () => {
    const pairs = ratedPairs(relevances, captions)
    expect(pairs.find(({ clip, query }) => clip === query.clip)!.captions.map(({ id }) => id)).toEqual([
      'c0#2',
      'c0#3',
    ])
    const features = await namedFeatures(['stems:10/mean', 'words:10/max'], options)
    const { model, quality, crossValidated } = await fitRelevance(pairs, features, {
      folds: 3,
      replicates: 99,
    })
    expect(model.constants.slopes.every((slope) => slope >= 0)).toBe(true)
    expect(quality.pearson).toBeGreaterThan(0.7)
    expect(crossValidated!.pearson).toBeGreaterThan(0.6)
    expect(quality.mse).toBeLessThan(quality.constantMse)
    expect(quality.calibration.reduce((sum, bin) => sum + bin.pairs, 0)).toBe(pairs.length)
    const [low, high] = quality.pearsonInterval!
    expect(low).toBeLessThanOrEqual(quality.pearson!)
    expect(high).toBeGreaterThanOrEqual(quality.pearson!)
  })

  test('relevance that is one throughout is refused, and one query has no interval and no folds', async () => {
    const pairs = ratedPairs(relevances, captions)
    const features = await namedFeatures(['stems:10'], options)
    const flat = pairs.map((pair) => ({ ...pair, relevance: 0.5 }))
    await expect(fitRelevance(flat, features)).rejects.toMatchObject({
      code: 'INVALID_DATA',
      message: expect.stringMatching(/different relevance to fit, got 0\.5 for all/),
    })
    const one = pairs.filter(({ query }) => query.id === pairs[0]!.query.id)
    const { quality } = await fitRelevance(one, features, { folds: 0, replicates: 99 })
    expect(quality.pearson).not.toBeNull()
    expect(quality.pearsonInterval).toBeNull()
    await expect(fitRelevance(one, features)).rejects.toThrow(/two queries or more.*--folds 0/)
  })

  test.each(['words:100000', 'stems:0', 'word-vectors:1025', 'characters:99999999999999999999'])(
    '%s asks for dimensions that there cannot be',
    async (name) => {
      await expect(namedFeatures([name], options)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(/1 to 1024 dimensions/),
      })
    },
  )

  test('calibration on top does not fit worse', async () => {
    const pairs = ratedPairs(relevances, captions)
    const features = await namedFeatures(['stems:10'], options)
    const plain = await fitRelevance(pairs, features, { folds: 0, replicates: 99 })
    expect(plain.crossValidated).toBeNull()
    for (const calibration of ['isotonic', 'spline'] as const) {
      const fitted = await fitRelevance(pairs, features, { folds: 0, replicates: 99, calibration })
      expect(fitted.quality.mse).toBeLessThan(plain.quality.mse + 1e-3)
    }
  })

  test('ratings of captions that are not there, and clips of one caption, are errors', () => {
    expect(() => ratedPairs(relevances, captionedClips([]))).toThrow(/query "c0#1"/)
    const alone = captionedClips([{ id: 'c0#1', clip: 'c0', text: 'x' }])
    const one = aggregateRatings(parseRatings('query,item,rating\nc0#1,c0,5\n', 'x.csv'))
    expect(() => ratedPairs(one, alone)).toThrow(/besides the query/)
  })

  test('constant ratings have no correlation, and that is said', () => {
    const pairs = ratedPairs(relevances, captions).map((pair) => ({ ...pair, relevance: 0.5 }))
    const quality = fitQuality(
      pairs,
      pairs.map((_, i) => i / pairs.length),
      { replicates: 99 },
    )
    expect(quality).toMatchObject({ pearson: null, pearsonInterval: null, spearman: null, constantMse: 0 })
  })

  test.each(['moods', 'stems:x', 'stems:10/median', ''])('the similarity "%s" is refused', async (name) => {
    await expect(namedFeatures([name], options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

describe('models', () => {
  const modelOf = async (names: readonly string[], calibration?: 'isotonic') =>
    (
      await fitRelevance(ratedPairs(relevances, captions), await namedFeatures(names, options), {
        folds: 0,
        replicates: 99,
        ...(calibration && { calibration }),
      })
    ).model

  test.each([['stems:10/mean'], ['stems:10/max'], ['word-vectors:8', 'stems:10/max']])(
    'applied in blocks, %s gives what pair by pair gives, a caption not set against itself',
    async (...names) => {
      const model = await modelOf(names)
      const applied = await applyRelevance(model, captions, { backend, top: 30 })
      expect(applied.pairs).toHaveLength(captions.captions.length * 30)
      for (const query of captions.captions.slice(0, 88).filter((_, i) => i % 9 === 0)) {
        const pairs = Array.from(captions.byClip, ([clip, own]) => {
          const others = own.filter(({ id }) => id !== query.id)
          return { query, clip, captions: others.length > 0 ? others : own }
        })
        const expected = await model.relevances(pairs)
        pairs.forEach(({ clip }, i) => expect(applied.of(query.id, clip)).toBeCloseTo(expected[i]!, 5))
      }
    },
  )

  test('the most relevant are kept, in falling order, and none below the least', async () => {
    const model = await modelOf(['stems:10'])
    const all = await applyRelevance(model, captions, { backend, top: 30 })
    const some = await applyRelevance(model, captions, { backend, top: 4, least: 0.3 })
    for (const query of ['c0#1', 'c29#1']) {
      const wanted = [...all.judged(query).values()].slice(0, 4).filter((r) => r >= 0.3)
      expect([...some.judged(query).values()]).toEqual(wanted)
      expect(wanted.toSorted((a, b) => b - a)).toEqual(wanted)
    }
    await expect(applyRelevance(model, captions, { backend, top: 0 })).rejects.toThrow(/top/)
    await expect(applyRelevance(model, captions, { backend, least: 2 })).rejects.toThrow(/least/)
  })

  test('captions without a word that the model knows are told', async () => {
    const model = await modelOf(['stems:10'])
    const strange = captionedClips([
      { id: 'known', clip: 'c0', text: captions.captions[0]!.text },
      { id: 'foreign', clip: 'c1', text: 'zzyzx qwrtp' },
      { id: 'empty', clip: 'c2', text: '' },
    ])
    const told: (readonly string[])[] = []
    await applyRelevance(model, strange, { backend, onUnknown: (ids) => told.push(ids) })
    await applyRelevance(model, captions, { backend, onUnknown: (ids) => told.push(ids) })
    expect(told).toEqual([['foreign', 'empty']])
  })

  test('a saved model gives the same bits; a damaged file is refused', async () => {
    const model = await modelOf(['stems:10/mean', 'stems:10/max'], 'isotonic')
    const file = join(folder, 'model.safetensors')
    await saveRelevanceModel(file, model)
    const again = await loadRelevanceModel(file)
    const pairs = ratedPairs(relevances, captions)
    expect(await again.relevances(pairs)).toEqual(await model.relevances(pairs))
    expect(again.features.map(({ name }) => name)).toEqual(['stems:10/mean', 'stems:10/max'])
    expect(again.features[0]!.vectors).toBe(again.features[1]!.vectors)
    await expect(
      decodeRelevanceModel(Buffer.concat(encodeSafetensors(new Map())), 'x'),
    ).rejects.toMatchObject({
      code: 'INVALID_FILE',
      remedy: expect.stringContaining('sonotext relevance fit') as string,
    })
    await expect(loadRelevanceModel(join(folder, 'none'))).rejects.toMatchObject({ code: 'MISSING_FILE' })
  })

  test('vectors made elsewhere, by id or text, are named in the file and opened again', async () => {
    const file = join(folder, 'vectors.npy')
    const vectors = await (await latentSemantics(texts, { dim: 6, seed: 1 })).embed(captions.captions)
    await writeNpy(file, vectors)
    await writeFile(join(folder, 'vectors.ids.txt'), captions.captions.map(({ id }) => `${id}\n`).join(''))
    const model = await modelOf([`vectors=${file}/max`])
    await saveRelevanceModel(join(folder, 'given.safetensors'), model)
    const again = await loadRelevanceModel(join(folder, 'given.safetensors'))
    const pairs = ratedPairs(relevances, captions)
    expect(await again.relevances(pairs)).toEqual(await model.relevances(pairs))
    await expect(again.features[0]!.vectors.embed([{ text: 'unknown' }])).rejects.toThrow(/"unknown"/)
    await writeNpy(file, matrix(3, 2))
    await expect(loadRelevanceModel(join(folder, 'given.safetensors'))).rejects.toThrow(/expected 3 ids/)
  })

  test('a sentence encoder as an ONNX file is named in the file and opened again; its vectors are of unit length', async () => {
    await writeFile(join(folder, 'tokenizer.json'), tinyTokenizer())
    const file = join(folder, 'sentences.onnx')
    await writeFile(file, tinyTextTower())
    const [feature] = await namedFeatures([`onnx=${file}/max`], options)
    const said = ['a dog barks', 'a dog', 'a dog barks'].map((text) => ({ text }))
    const made = await feature!.vectors.embed(said)
    for (let i = 0; i < 3; i++) expect(Math.hypot(...row(made, i))).toBeCloseTo(1, 6)
    expect(row(made, 2)).toEqual(row(made, 0))
    expect(row(made, 1)).not.toEqual(row(made, 0))
    const model = new RelevanceModel([feature!], { intercept: 2, slopes: [3] })
    await saveRelevanceModel(join(folder, 'encoder.safetensors'), model)
    const again = await loadRelevanceModel(join(folder, 'encoder.safetensors'))
    expect(await again.features[0]!.vectors.embed(said)).toEqual(made)
    const cacheFolder = join(folder, 'kept sentences')
    const keeping = await loadRelevanceModel(join(folder, 'encoder.safetensors'), { cacheFolder })
    expect(await keeping.features[0]!.vectors.embed(said)).toEqual(made)
    const [tower] = await readdir(cacheFolder)
    const kept = await readdir(join(cacheFolder, tower!))
    const [next] = await namedFeatures([`onnx=${file}`], { ...options, cacheFolder })
    expect(await next!.vectors.embed(said)).toEqual(made)
    expect(await readdir(join(cacheFolder, tower!))).toEqual(kept)
    await expect(namedFeatures([`onnx=${join(folder, 'none.onnx')}`], options)).rejects.toMatchObject({
      code: 'MISSING_FILE',
    })
  })
})

test('captions from a CSV and from a manifest', async () => {
  const csv = join(folder, 'text.csv')
  await writeFile(csv, 'split,tid,fid,text,tokens\nx,t1,f,"A dog, barking.","[]"\nx,t2,f,Rain,"[]"\n')
  expect((await readCaptions(csv)).byClip.get('f')!.map(({ id }) => id)).toEqual(['t1', 't2'])
  await writeFile(join(folder, 'm.jsonl'), '{"id":"a","audio":"a.wav","captions":["a dog"]}\n')
  expect((await readCaptions(join(folder, 'm.jsonl'))).byId.get('a#1')).toEqual({
    id: 'a#1',
    clip: 'a',
    text: 'a dog',
  })
  await writeFile(csv, 'tid,fid,text\nt,f,x\nt,f,y\n')
  await expect(readCaptions(csv)).rejects.toThrow(/text\.csv:3: the caption "t" occurs a second time.*line 2/)
  await writeFile(csv, 'tid,text\nt,x\n')
  await expect(readCaptions(csv)).rejects.toThrow(/column fid/)
})
