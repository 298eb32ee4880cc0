/**
 * Our phrases and order words against those of AudioGrounding v1, whose phrases come with times:
 *
 *     nx run bench:phrases --file audiogrounding_v1_train.json
 */
import '../direct.js'
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { CheckError } from '../check/check-error.js'
import { audioGroundingV1, phraseAgreement, type RelationTruth } from '../alignment/phrase-agreement.js'
import { markdownTable } from '../harness/table.js'

const { values: options } = parseArgs({ options: { file: { type: 'string' }, out: { type: 'string' } } })
if (options.file === undefined) throw new CheckError('Name the JSON file of AudioGrounding v1 with --file.')
const json = JSON.parse(readFileSync(options.file, 'utf8')) as Parameters<typeof audioGroundingV1>[0]
const { captions, annotated, found, exact, partial, extra, errors, relations } = phraseAgreement(
  audioGroundingV1(json),
)
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
const text = [
  `${captions} captions with ${annotated} annotated phrases; ${found} phrases were found.`,
  '',
  `Exact: ${exact} (${percent(exact / annotated)} of the annotated, ${percent(exact / found)} of those found). Partial: ${partial} (${percent(partial / annotated)}). Found where none is annotated: ${extra} (${percent(extra / found)}).`,
  '',
  markdownTable(
    [
      { title: 'error', align: 'left', text: ([kind]) => kind },
      { title: 'phrases', align: 'right', text: ([, { count }]) => String(count) },
      { title: 'annotated / ours', align: 'left', text: ([, { examples }]) => examples.join('; ') },
    ],
    Object.entries(errors),
  ),
  '',
  markdownTable<RelationTruth>(
    [
      { title: 'words', align: 'left', text: ({ words }) => words },
      { title: 'read as', align: 'left', text: ({ kind }) => kind },
      { title: 'pairs', align: 'right', text: ({ count }) => String(count) },
      { title: 'begins before', align: 'right', text: ({ begins }) => percent(begins) },
      { title: 'ends before', align: 'right', text: ({ ends }) => percent(ends) },
      { title: 'overlap', align: 'right', text: ({ overlap }) => percent(overlap) },
    ],
    relations.filter(({ count }) => count >= 10),
  ),
].join('\n')
console.log(text)
if (options.out !== undefined) writeFileSync(options.out, `${text}\n`)
