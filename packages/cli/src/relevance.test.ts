import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, cliJson, notBuilt } from './testing/run-cli.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-relevance-'))
})
afterAll(() => rm(folder, { recursive: true }))
const write = async (name: string, lines: readonly string[]): Promise<string> => {
  await writeFile(join(folder, name), `${lines.join('\n')}\n`)
  return join(folder, name)
}

describe.skipIf(notBuilt !== null)(`sonotext relevance${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  const ratings = [
    'query,item,rater,rating,played,group',
    ...['q1', 'q2', 'q3'].flatMap((query, q) =>
      ['r1', 'r2', 'r3'].flatMap((rater, r) => [
        `${query},own,${rater},${r === 2 ? 0 : 80 + q},9,TP`,
        `${query},other,${rater},${30 + 10 * r},9,`,
        `${query},control,${rater},${r === 2 ? 90 : r},9,TN`,
      ]),
    ),
  ]

  it('imports ratings: screens with reasons, averages, writes what metrics takes', async () => {
    const file = await write('ratings.csv', ratings)
    const out = join(folder, 'relevance.csv')
    const report = await cliJson<{ exclusions: { rater: string; reason: string }[]; pairs: number }>([
      ...['relevance', 'import', file, '--screen', 'controls', '--out', out],
    ])
    expect(report.pairs).toBe(9)
    expect(report.exclusions).toEqual([
      expect.objectContaining({
        rater: 'r3',
        reason: '3 of 3 control items rated wrongly, more than 20 %.',
      }),
    ])
    const written = await readFile(out, 'utf8')
    expect(written.split('\n').slice(0, 3)).toEqual([
      'query,item,relevance,raters,deviation,played,group',
      'q1,own,0.8,2,0,9,TP',
      expect.stringMatching(/^q1,other,0.35,2,0.07\d+,9,$/),
    ])
    const run = await write(
      'run.txt',
      ['q1', 'q2', 'q3'].map((query) => `${query} Q0 own 1 5 t`),
    )
    const evaluation = await cliJson<{ textToAudio: object; judgedShare: { textToAudio: object } }>([
      ...['metrics', '--run', run, '--truth', out, '--measures', 'nDCG@1,Spearman', '--unjudged', 'left-out'],
    ])
    expect(evaluation.textToAudio).toMatchObject({ 'nDCG@1': 1 })
    expect(evaluation.judgedShare.textToAudio).toEqual({ 'nDCG@1': 1, Spearman: 1 })
  })

  it('takes a rater who rates a pair in two files for one, not for two', async () => {
    const head = 'query,item,rater,rating'
    const one = await write('one.csv', [head, 'q1,a,anna,80', 'q1,b,anna,0'])
    const two = await write('two.csv', [head, 'q1,a,anna,20', 'q1,b,ben,0'])
    const refused = await cli(['relevance', 'import', one, two])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain(
      `two.csv:2: "a" is rated twice by anna for "q1"; the first time in ${one}:2`,
    )
    expect((await cli(['relevance', 'agreement', one, one])).stderr).toContain('is rated twice')
    const out = join(folder, 'joined.csv')
    await cli(['relevance', 'import', one, two, '--again', 'last', '--out', out])
    // What stands in each file is told of each, also where another one counts.
    for (const again of ['mean', 'last']) {
      const report = await cliJson<{ files: { file: string; groups: { ratings: number }[] }[] }>([
        ...['relevance', 'import', one, two, '--again', again],
      ])
      expect(report.files.map(({ file }) => file)).toEqual([one, two])
    }
    expect((await readFile(out, 'utf8')).split('\n').slice(1, 3)).toEqual([
      'q1,a,0.2,1,,,',
      expect.stringMatching(/^q1,b,0,2,0/),
    ])
  })

  it('counts the pairs that a manifest has no place for, and refuses a table of nothing else', async () => {
    const clip = { id: 'a', audio: 'a.wav', captions: [{ id: 'q1', text: 'a dog barks' }] }
    const manifest = await write('rated.jsonl', [JSON.stringify(clip)])
    const out = join(folder, 'graded.jsonl')
    const known = await write('known.csv', ['query,item,relevance', 'q1,a,0.5', 'zz,yy,0.5'])
    const partly = await cli(['relevance', 'import', known, '--manifest', manifest, '--out', out])
    expect(partly.stdout).toContain('1 judged pair →')
    expect(partly.stderr).toContain('1 pair left out')
    expect(await readFile(out, 'utf8')).toContain('"relevance":{"a":0.5}')
    const strange = await write('strange.csv', ['query,item,relevance', 'zz,yy,0.5'])
    const refused = await cli(['relevance', 'import', strange, '--manifest', manifest, '--out', out])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('found none, such as "zz" with "yy"')
  })

  it('says what screening cannot judge, and why nothing is left', async () => {
    const bare = await write('bare.csv', ['query,item,rater,rating', 'q1,a,anna,80', 'q1,b,anna,0'])
    const screened = await cli(['relevance', 'import', bare, '--screen', 'controls', '--quiet'])
    expect(screened).toMatchObject({
      code: 0,
      stderr:
        'warning: --screen controls: 1 of 1 raters cannot be judged: they rated no control item (group TN).\n',
    })
    const hasty = await write('hasty.csv', [
      'query,item,rater,rating,played',
      'q1,a,anna,80,1',
      'q1,b,ben,9,2',
    ])
    for (const command of ['import', 'agreement']) {
      const { code, stderr } = await cli(['relevance', command, hasty, '--screen', 'played'])
      expect(code).toBe(1)
      expect(stderr).toContain('left out: anna, q1 with a (1 rating): Played for 1 s, less than 5 s.')
      expect(stderr).toContain('left out: ben, q1 with b')
      expect(stderr).toMatch(/hasty\.csv: Screening leaves no rating\. Screen less/)
    }
    const few = ['relevance', 'import', hasty, '--screen', 'played=2', '--min-raters', '2']
    expect((await cli(few)).stderr).toMatch(/left out: anna, q1 with a[^]*Expected pairs of 2 raters or more/)
    const share = await write('share.csv', ['query,item,relevance', 'q1,a,1'])
    const other = await cli(['relevance', 'import', bare, share])
    expect(other).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/share\.csv, got "0 to 1".*--scale/),
    })
  })

  it('says how far raters agree', async () => {
    const file = await write('ratings.csv', ratings)
    const { stdout } = await cli(['relevance', 'agreement', file, '--replicates', '99'])
    expect(stdout).toMatch(/^9 pairs of two raters or more \(9 rated by all 3\), over 3 queries/)
    expect(stdout).toMatch(/alpha-interval +-?0\.\d{3} +-?\d\.\d{3} … -?\d\.\d{3}/)
  })

  it('says what relevance depends on, draws it, and writes relevance into a manifest', async () => {
    const clip = (i: number) => ({
      ...{ id: `c${i}`, audio: `c${i}.wav`, duration: 5 + i },
      captions: [`a ${'very '.repeat(i % 4)}loud dog barks at number ${i}`, `dog ${i}`],
    })
    const manifest = await write(
      'clips.jsonl',
      Array.from({ length: 14 }, (_, i) => JSON.stringify(clip(i))),
    )
    const rated = Array.from({ length: 14 }, (_, i) => [
      `c${i}#1,c${i},${1 - (i % 4) / 4}`,
      `c${i}#1,c${(i + 1) % 14},0.25`,
    ])
    const table = await write('rated.csv', ['query,item,relevance', ...rated.flat()])
    const [page, model] = [join(folder, 'analysis.html'), join(folder, 'model.safetensors')]
    await cli(['relevance', 'fit', table, '--captions', manifest, '--similarity', 'words:4', '--out', model])
    const arguments_ = ['relevance', 'analyse', table, '--captions', manifest, '--machine', model]
    const analysis = await cliJson<{
      pairs: number
      correlations: { measure: string; target: string; pearson: number | null }[]
    }>([...arguments_, '--replicates', '99', '--page', page])
    expect(analysis.pairs).toBe(14)
    const of = (measure: string, target: string) =>
      analysis.correlations.find((one) => one.measure === measure && one.target === target)!
    expect(of('words', 'rating').pearson).toBeCloseTo(-1, 6)
    expect(of('seconds of the clip', 'rating')).toBeDefined()
    expect(of('words', 'difference')).toBeDefined()
    const html = await readFile(page, 'utf8')
    expect(html).toMatch(/What relevance depends on[^]*<svg[^]*furthest apart/)
    // What is named for lengths, activities or a model must tell something of what is rated, and says what it does not.
    const lengths = async (name: string, lines: readonly string[]) =>
      cli([...arguments_, '--replicates', '99', '--clips', await write(name, lines)])
    for (const [name, lines, message] of [
      ['names.csv', ['fid,size', 'c0,3'], /names\.csv: Expected the columns fid .*got fid,size/],
      ['comma.csv', ['fid;duration', 'c0;3,5'], /comma\.csv:2: .*got "3,5".*3\.5/],
      ['zero.csv', ['fid,duration', 'c0,0'], /zero\.csv:2: expected more than 0 seconds/],
      ['part.csv', ['fid,start_end_samples', 'c0,"[9, 2]"'], /part\.csv:2: expected first and last sample/],
      ['twice.csv', ['fid,duration', 'c0,1', 'c0,2'], /twice\.csv:3: "c0" has two lengths, 1 s and 2 s/],
      ['others.csv', ['fid,duration', 'x,3'], /others\.csv: --clips tells nothing of any rated clip.*"c0"/],
      ['bare.jsonl', ['{"id":"c0","audio":"a.wav"}'], /bare\.jsonl: no clip of the manifest has a duration/],
    ] as const)
      expect(await lengths(name, lines)).toMatchObject({ code: 1, stderr: expect.stringMatching(message) })
    const some = await lengths('some.csv', ['fid,duration', 'c0,3', 'c1,4', 'c2,5', 'c3,'])
    expect(some).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/--clips tells nothing of 11 of 14 rated clips/),
    })
    const strange = await write('machine.csv', ['query,item,relevance', 'x,y,1'])
    const machine = await cli(['relevance', 'analyse', table, '--captions', manifest, '--machine', strange])
    expect(machine).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/--machine tells nothing of any/),
    })
    const flat = await write('flat.csv', ['query,item,relevance', 'c0#1,c0,0.5', 'c1#1,c1,0.5'])
    const fitted = await cli(['relevance', 'fit', flat, '--captions', manifest])
    expect(fitted).toMatchObject({ code: 1, stderr: expect.stringMatching(/got 0\.5 for all 2/) })
    const validated = await cli([
      ...['relevance', 'fit', table, '--captions', manifest, '--validation', join(folder, 'nowhere.csv')],
    ])
    expect(validated).toMatchObject({ code: 1, stderr: expect.stringMatching(/nowhere\.csv/) })
    // Before the vectors, which may take minutes.
    for (const { stderr } of [fitted, validated]) expect(stderr).not.toContain('vectors:')

    const graded = join(folder, 'graded.jsonl')
    await cli(['relevance', 'import', table, '--manifest', manifest, '--out', graded])
    expect(await readFile(graded, 'utf8')).toContain('"relevance":{"c0":1,"c1":0.25}')
    const nowhere = await cli(['relevance', 'import', table, '--manifest', manifest])
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining('--out') })
  })

  it('names line, reason and remedy of bad ratings, and bad options', async () => {
    const file = await write('bad.csv', ['query,item,rating', 'q,c,300'])
    const bad = await cli(['relevance', 'import', file])
    expect(bad).toMatchObject({ code: 1, stderr: expect.stringMatching(/bad\.csv:2: .*300.*--scale/) })
    const rule = await cli(['relevance', 'import', file, '--screen', 'mood'])
    expect(rule).toMatchObject({ code: 2, stderr: expect.stringMatching(/straight-lining/) })
    const trim = await cli(['relevance', 'import', file, '--trim', '0.3'])
    expect(trim).toMatchObject({ code: 2, stderr: expect.stringMatching(/--average trimmed-mean/) })
    const grade = await cli(['evaluate', folder, '--min-grade', '0.5'])
    expect(grade.code).not.toBe(0)
  })
})
