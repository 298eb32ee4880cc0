/**
 * Alignment learned from captions alone, on composed scenes whose events are known: a head over the frames of a frozen tower (or whatever
 * --model and --features say), several seeds, on scenes and recordings that no training saw:
 *
 *     nx run bench:alignment --scenes scenes/manifest.jsonl --features '{"type":"onnx","model":"yamnet256.onnx","frontEnd":{"preset":"yamnet","hop":0.24}}'
 *
 * Measured: where each class is heard (every class asked of every scene), whether the order words of captions help (paired), and the
 * moments of recordings of minutes. --device cuda trains on a GPU. Random scores and the mean score of each clip stand beside.
 */
import '../direct.js'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  type AlignmentEvaluation,
  type AlignmentMeasureName,
  type AlignmentPair,
  evaluateAlignment,
  evaluateMoments,
  type MomentsEvaluation,
} from '@sonotext/core/align'
import { openBackend, type OpenBackendOptions } from '@sonotext/core/backend'
import { clipsOfSplit, readManifest } from '@sonotext/core/data'
import { clustersOf, randomizationTest, unitMean } from '@sonotext/core/metrics'
import { openRun, openRunAligner, parseConfig, trainRun, unlabelledClips } from '@sonotext/core/runs'
import { CheckError } from '../check/check-error.js'
import { labelsOf } from '../alignment/class-phrases.js'
import {
  type CaptionResult,
  captionResults,
  classPairs,
  decodings,
  momentQueries,
} from '../alignment/held-out.js'
import { environment, environmentLine } from '../harness/environment.js'
import { mean, meanText } from '../harness/seeds.js'
import { type Column, markdownTable } from '../harness/table.js'

const { values: options } = parseArgs({
  options: {
    scenes: { type: 'string' },
    features: { type: 'string', default: '{"type":"log-mel"}' },
    model: {
      type: 'string',
      default: JSON.stringify({
        audio: { type: 'projection', hidden: [128], dropout: 0.2 },
        text: { type: 'words', dim: 64, trainable: true },
        similarity: { type: 'frame-word', reduction: 'STSQ' },
      }),
    },
    loss: { type: 'string', default: '{"type":"info-nce","learnable":true}' },
    seeds: { type: 'string', default: '17,18,19,20,21' },
    epochs: { type: 'string', default: '20' },
    lr: { type: 'string', default: '3e-3' },
    smooth: { type: 'string', default: '0' },
    recordings: { type: 'string', default: '6' },
    device: { type: 'string', default: 'auto' },
    work: { type: 'string', default: 'runs/alignment' },
    out: { type: 'string' },
  },
})
if (options.scenes === undefined) throw new CheckError('Name the manifest of composed scenes with --scenes.')
const manifest = options.scenes
const seeds = options.seeds.split(',').map(Number)
const backend = openBackend({ device: options.device as NonNullable<OpenBackendOptions['device']> })
const { clips } = await readManifest(manifest)
const held = clipsOfSplit({ path: manifest, clips }, 'test')
const training = clipsOfSplit({ path: manifest, clips }, 'train')
const sources = (some: typeof clips) =>
  new Set(some.flatMap(({ events }) => events!.map(({ source }) => source!)))
const shared = [...sources(training)].filter((source) => sources(held).has(source))
if (shared.length > 0) throw new CheckError(`Recordings in both splits: ${shared.slice(0, 3).join(', ')}.`)
const labels = labelsOf(clips)

interface SeedResult {
  readonly seed: number
  readonly all: AlignmentEvaluation
  /** Segments by min–max over the clip in place of thresholds. */
  readonly minMax: Pick<AlignmentEvaluation, 'measures'>
  /** Of the pairs whose class is in the scene. */
  readonly present: Pick<AlignmentEvaluation, 'measures' | 'perPhrase'>
  readonly captions: readonly CaptionResult[]
  readonly moments: Record<'calibrated' | 'min–max', MomentsEvaluation['measures']>
}

function withoutScores({ clip, phrase, duration, truth, segments }: AlignmentPair): AlignmentPair {
  return { clip, phrase, duration, truth, ...(segments && { segments }) }
}

/** A seed's numbers are kept beside its run: what is there is not computed again. */
async function measured(seed: number): Promise<SeedResult> {
  const folder = join(options.work, `seed-${seed}`)
  const kept = join(folder, `alignment${options.smooth === '0' ? '' : `-${options.smooth}`}.json`)
  try {
    return JSON.parse(readFileSync(kept, 'utf8')) as SeedResult
  } catch {
    // Not there yet.
  }
  const config = parseConfig({
    seed,
    data: { manifest, validationSplit: null },
    features: JSON.parse(options.features) as object,
    model: JSON.parse(options.model) as object,
    loss: JSON.parse(options.loss) as object,
    schedule: 'cosine',
    optimizer: { type: 'adam', lr: Number(options.lr) },
    training: { epochs: Number(options.epochs) },
    logging: { tensorboard: false },
  })
  await trainRun(config, { folder, backend, resume: true })
  const run = await openRun(folder, { backend })
  await using aligner = await openRunAligner(run, {
    unlabelled: await unlabelledClips(run),
    // A scene is asked for many times, and a tower is slow beside a head.
    cacheFolder: join(options.work, 'features'),
    smooth: Number(options.smooth),
  })
  const pairs = await classPairs(aligner, held, labels, true)
  const present = await evaluateAlignment(pairs.filter(({ truth }) => truth.length > 0))
  const minMax = await evaluateAlignment((await classPairs(aligner, held, labels, false)).map(withoutScores))
  const moments = async (calibrated: boolean) =>
    evaluateMoments(
      await momentQueries(aligner, held, { recordings: Number(options.recordings), calibrated }),
    ).measures
  const all = { ...(await evaluateAlignment(pairs)), sweep: [] }
  const result: SeedResult = {
    seed,
    all,
    present: { measures: present.measures, perPhrase: present.perPhrase },
    minMax: { measures: minMax.measures },
    captions: await captionResults(aligner, held),
    moments: { calibrated: await moments(true), 'min–max': await moments(false) },
  }
  writeFileSync(kept, JSON.stringify(result))
  return result
}

const results: SeedResult[] = []
for (const seed of seeds) {
  results.push(await measured(seed))
  console.error(`seed ${seed}: ${results.at(-1)!.all.measures.AUROC!.value.toFixed(3)}`)
}

const column = <Row>(
  title: string,
  text: (row: Row) => string,
  align: 'left' | 'right' = 'right',
): Column<Row> => ({
  title,
  align,
  text,
})
const three = (value: number | null | undefined): string =>
  value === null || value === undefined || Number.isNaN(value) ? '–' : value.toFixed(3)

const names = Object.keys(results[0]!.all.measures) as AlignmentMeasureName[]
const value = (of: Pick<AlignmentEvaluation, 'measures'>, name: AlignmentMeasureName) =>
  of.measures[name]!.value
const frames = markdownTable<AlignmentMeasureName>(
  [
    column('measure', (name) => name, 'left'),
    column('every class of every scene', (name) => meanText(results.map(({ all }) => value(all, name)))),
    column('random', (name) => three(mean(results.map(({ all }) => all.measures[name]!.random)))),
    column('clip level', (name) =>
      three(mean(results.map(({ all }) => all.measures[name]!.clipLevel ?? Number.NaN))),
    ),
    column('classes that are there', (name) => meanText(results.map(({ present }) => value(present, name)))),
  ],
  names,
)
const thresholds = markdownTable(
  [
    column<{ name: string; of: (r: SeedResult) => Pick<AlignmentEvaluation, 'measures'> }>(
      'segments by',
      ({ name }) => name,
      'left',
    ),
    ...(['segment IoU', 'event F1'] as const).map((name) =>
      column<{ name: string; of: (r: SeedResult) => Pick<AlignmentEvaluation, 'measures'> }>(name, ({ of }) =>
        meanText(results.map((result) => value(of(result), name))),
      ),
    ),
  ],
  [
    { name: 'a threshold for each phrase, found without labels', of: ({ all }) => all },
    { name: 'min–max over the clip, at 0.5', of: ({ minMax }) => minMax },
  ],
)

/** All seeds together: a scene is the unit, its captions and seeds belong to it. */
const captions = results.flatMap((result) => result.captions)
const clusters = clustersOf(captions.map(({ clip }) => clip))
const ious = (decoding: (typeof decodings)[number]) => Float64Array.from(captions, ({ iou }) => iou[decoding])
const joint = markdownTable<(typeof decodings)[number]>(
  [
    column(
      'decode',
      (name) =>
        ({ alone: 'each phrase alone', begins: '“then” = begins before', ends: '“then” = ends before' })[
          name
        ],
      'left',
    ),
    column('mean IoU', (name) => three(mean([...ious(name)]))),
    column('of captions it changes', (name) =>
      three(mean(captions.filter(({ changed }) => changed).map(({ iou }) => iou[name]))),
    ),
    column('difference', (name) => {
      if (name === 'alone') return ''
      const { difference, p } = randomizationTest(ious(name), ious('alone'), clusters, unitMean)
      return `${difference >= 0 ? '+' : ''}${difference.toFixed(4)} (p = ${p.toFixed(4)})`
    }),
  ],
  decodings,
)
const momentNames = ['R1@0.5', 'R1@0.7', 'mAP', 'mIoU'] as const
const moments = markdownTable<(typeof momentNames)[number]>(
  [
    column('measure', (name) => name, 'left'),
    ...(['calibrated', 'min–max'] as const).map((how) =>
      column<(typeof momentNames)[number]>(how, (name) =>
        meanText(results.map((result) => result.moments[how][name].value)),
      ),
    ),
    column('random windows', (name) => three(results[0]!.moments.calibrated[name].random)),
    column('whole recording', (name) => three(results[0]!.moments.calibrated[name].whole)),
  ],
  momentNames,
)
const perClass = markdownTable<string>(
  [
    column('phrase', (phrase) => phrase, 'left'),
    ...(['AUROC', 'timing AUROC', 'frame F1'] as const).map((name) =>
      column<string>(name, (phrase) =>
        three(
          // What cannot be told is null once it was kept in a file.
          mean(
            results.map(({ all }) => all.perPhrase.find((own) => own.phrase === phrase)!.values[name] ?? NaN),
          ),
        ),
      ),
    ),
  ],
  results[0]!.all.perPhrase.map(({ phrase }) => phrase),
)
const about = {
  device: backend.info.device,
  isa: backend.info.isa,
  threads: backend.info.threads,
  ...environment(),
}
const text = [
  `${training.length} training and ${held.length} held-out scenes of ${held[0]!.duration} s, ${labels.length} classes; ${sources(training).size} and ${sources(held).size} recordings, none in both. ${seeds.length} seeds, mean ± 95 % over the seeds.`,
  `Trained on clips with captions and nothing else: ${options.model}, loss ${options.loss}, ${options.epochs} epochs, Adam ${options.lr} with a cosine; a running mean of ${options.smooth} s over the scores; features ${options.features}.`,
  `Command: \`nx run bench:alignment --scenes … --features … --seeds ${options.seeds} --epochs ${options.epochs} --smooth ${options.smooth}\``,
  ...['', '### Where each class is heard', '', frames],
  ...['', '### Thresholds', '', thresholds],
  ...['', '### Class by class', '', perClass],
  ...[
    '',
    '### Do the order words help?',
    '',
    `${captions.length} captions with order words (all seeds), of which the joint decode changes ${captions.filter(({ changed }) => changed).length}.`,
    '',
    joint,
  ],
  ...['', '### Moments of recordings of 2 to 5 minutes', '', moments],
  ...['', environmentLine(about)],
].join('\n')
console.log(text)
if (options.out !== undefined) {
  writeFileSync(`${options.out}.md`, `${text}\n`)
  const settings = { ...options, scenes: undefined, work: undefined, out: undefined, features: undefined }
  const brief = results.map(({ captions: own, ...rest }) => ({ ...rest, captions: own.length }))
  writeFileSync(
    `${options.out}.json`,
    `${JSON.stringify({ ...about, options: settings, results: brief }, null, 1)}\n`,
  )
}
