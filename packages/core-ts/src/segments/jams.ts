import { describe, SonotextError } from '../base/index.js'
import { isObject, parsed } from './json.js'
import {
  checked,
  checkTimes,
  type LabelledSegment,
  type SegmentFormat,
  single,
  stemOf,
} from './recording-segments.js'

/** JAMS: one annotation of the namespace `segment_open`; scores, caption and phrases in the sandboxes that JAMS has for such. */
export const jamsAnnotations: SegmentFormat = {
  name: 'jams',
  description: 'JAMS, for Python tools of music and sound',
  extension: '.jams',
  several: false,
  keeps: 'everything',
  write(recordings) {
    const { recording, duration, text, phrases, segments } = single(checked(recordings), 'JAMS')
    const end = segments.reduce((last, { offset }) => Math.max(last, offset), 0)
    const data = segments.map(({ phrase, onset, offset, confidence }) => ({
      time: onset,
      duration: offset - onset,
      value: phrase,
      confidence: confidence ?? null,
    }))
    const document = {
      annotations: [
        {
          namespace: 'segment_open',
          data,
          annotation_metadata: { annotation_tools: 'Sonotext', data_source: 'program' },
          sandbox: {
            scores: segments.map(({ score }) => score ?? null),
            offsets: segments.map(({ offset }) => offset),
          },
          time: 0,
          duration: duration ?? end,
        },
      ],
      file_metadata: {
        title: recording,
        artist: '',
        release: '',
        duration: duration ?? end,
        identifiers: {},
        jams_version: '0.3.4',
      },
      sandbox: {
        ...(text === undefined ? {} : { text }),
        ...(phrases === undefined ? {} : { phrases }),
        ...(duration === undefined ? { duration: null } : {}),
      },
    }
    return `${JSON.stringify(document, null, 2)}\n`
  },
  read(source, file) {
    const document = parsed(source, file)
    const wrong = (message: string): SonotextError =>
      new SonotextError('INVALID_FILE', message, { file, remedy: 'Check that this is a JAMS file.' })
    if (!isObject(document) || !Array.isArray(document.annotations))
      throw wrong('expected an object with a list of annotations.')
    const metadata = isObject(document.file_metadata) ? document.file_metadata : {}
    const sandbox = isObject(document.sandbox) ? document.sandbox : {}
    const segments: LabelledSegment[] = []
    for (const annotation of document.annotations as unknown[]) {
      if (!isObject(annotation) || !namespaces.has(annotation.namespace as string)) continue
      const own = isObject(annotation.sandbox) ? annotation.sandbox : {}
      for (const [i, observation] of observationsOf(annotation.data, wrong).entries()) {
        const { time, duration, confidence } = observation
        const phrase = labelOf(observation.value)
        if (typeof time !== 'number' || typeof duration !== 'number' || phrase === undefined)
          throw wrong(
            `observation ${i + 1}: expected numbers for time and duration and a label, got ${describe(time)}, ${describe(duration)} and ${describe(observation.value)}.`,
          )
        const score = entryOf(own.scores, i)
        // The sum of onset and length need not be the offset to the last digit.
        const offset = entryOf(own.offsets, i) ?? time + duration
        checkTimes(time, offset, file)
        segments.push({
          ...{ phrase, onset: time, offset },
          ...(score === undefined ? {} : { score }),
          ...(typeof confidence === 'number' ? { confidence } : {}),
        })
      }
    }
    const { title, duration } = metadata
    const known = typeof duration === 'number' && duration > 0 && sandbox.duration !== null
    const { text, phrases } = sandbox
    const asked =
      Array.isArray(phrases) && phrases.every((phrase) => typeof phrase === 'string') ? phrases : undefined
    return [
      {
        recording: typeof title === 'string' && title !== '' ? title : stemOf(file),
        ...(known ? { duration } : {}),
        ...(typeof text === 'string' ? { text } : {}),
        ...(asked === undefined ? {} : { phrases: asked }),
        segments,
      },
    ]
  },
}

/** Those whose values are labels of stretches of time. */
const namespaces = new Set([
  'segment_open',
  'tag_open',
  'tag_urbansound',
  'tag_audioset',
  'scaper',
  'sound_event',
])

/** A list of observations, or the columns of one as older files have it. */
function observationsOf(data: unknown, wrong: (message: string) => SonotextError): Record<string, unknown>[] {
  if (Array.isArray(data)) {
    const odd = data.find((observation) => !isObject(observation)) as unknown
    if (odd !== undefined) throw wrong(`expected objects for data, got ${describe(odd)}.`)
    return data as Record<string, unknown>[]
  }
  if (!isObject(data) || !Array.isArray(data.time))
    throw wrong(`expected a list for data, got ${describe(data)}.`)
  const column = (name: string): readonly unknown[] => (Array.isArray(data[name]) ? data[name] : [])
  const columns = ['duration', 'value', 'confidence'].map((name) => [name, column(name)] as const)
  return (data.time as unknown[]).map((time, i) => ({
    time,
    ...Object.fromEntries(columns.map(([name, all]) => [name, all[i]])),
  }))
}

function labelOf(value: unknown): string | undefined {
  const label = isObject(value) ? value.label : value
  return typeof label === 'string' ? label : undefined
}

function entryOf(list: unknown, index: number): number | undefined {
  const entry: unknown = Array.isArray(list) ? list[index] : undefined
  return typeof entry === 'number' ? entry : undefined
}
