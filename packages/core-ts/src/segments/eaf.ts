import { SonotextError } from '../base/index.js'
import {
  checked,
  checkTimes,
  type LabelledSegment,
  oneLine,
  rounded,
  type SegmentFormat,
  single,
  stemOf,
} from './recording-segments.js'
import { tiersOf } from './tiers.js'
import { xmlEscaped, xmlTags } from './xml.js'

/** The version whose published schema what is written keeps to; every ELAN since reads it. */
const version = '2.7'

/** ELAN's annotation format: a tier for each phrase, times in milliseconds, the recording as its media. */
export const elanAnnotations: SegmentFormat = {
  name: 'eaf',
  description: 'ELAN: a tier for each phrase',
  extension: '.eaf',
  several: false,
  keeps: 'lines',
  write(recordings) {
    const { recording, segments } = single(checked(recordings), 'ELAN annotations')
    const slots: string[] = []
    const slot = (milliseconds: number): string => {
      const id = `ts${slots.length + 1}`
      slots.push(`        <TIME_SLOT TIME_SLOT_ID="${id}" TIME_VALUE="${milliseconds}"/>`)
      return id
    }
    let annotations = 0
    const tiers = tiersOf(segments).flatMap(({ name, segments: own }) => [
      `    <TIER LINGUISTIC_TYPE_REF="phrase" TIER_ID="${xmlEscaped(name)}">`,
      ...own.flatMap((segment) => {
        const { from, to } = rounded(segment, 1e-3)
        const refs = `TIME_SLOT_REF1="${slot(from)}" TIME_SLOT_REF2="${slot(to)}"`
        return [
          '        <ANNOTATION>',
          `            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a${++annotations}" ${refs}>`,
          `                <ANNOTATION_VALUE>${xmlEscaped(oneLine(segment.phrase))}</ANNOTATION_VALUE>`,
          '            </ALIGNABLE_ANNOTATION>',
          '        </ANNOTATION>',
        ]
      }),
      '    </TIER>',
    ])
    const schema = `xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv${version}.xsd"`
    return [
      '<?xml version="1.0" encoding="UTF-8"?>',
      `<ANNOTATION_DOCUMENT AUTHOR="Sonotext" DATE="${new Date().toISOString()}" FORMAT="${version}" VERSION="${version}" ${schema}>`,
      '    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">',
      `        <MEDIA_DESCRIPTOR MEDIA_URL="${xmlEscaped(urlOf(recording))}" MIME_TYPE="${mimeOf(recording)}"/>`,
      '    </HEADER>',
      '    <TIME_ORDER>',
      ...slots,
      '    </TIME_ORDER>',
      ...tiers,
      '    <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="phrase" TIME_ALIGNABLE="true"/>',
      '</ANNOTATION_DOCUMENT>',
      '',
    ].join('\n')
  },
  read(text, file) {
    const slots = new Map<string, number>()
    const segments: LabelledSegment[] = []
    let recording = stemOf(file)
    let refs: readonly (string | undefined)[] = []
    let root: string | undefined
    for (const { name, kind, attributes, text: value, line } of xmlTags(text, file)) {
      const at = `${file}:${line}`
      root ??= name
      if (kind === 'start') {
        if (name === 'MEDIA_DESCRIPTOR') recording = pathOf(attributes.get('MEDIA_URL') ?? recording)
        if (name === 'TIME_SLOT') {
          const time = attributes.get('TIME_VALUE')
          // A slot without a time lies somewhere between its neighbours.
          if (time !== undefined) slots.set(attributes.get('TIME_SLOT_ID') ?? '', millisecondsOf(time, at))
        }
        if (name === 'ALIGNABLE_ANNOTATION')
          refs = [attributes.get('TIME_SLOT_REF1'), attributes.get('TIME_SLOT_REF2')]
        if (name === 'REF_ANNOTATION') refs = []
      } else if (name === 'ANNOTATION_VALUE' && refs.length > 0) {
        const [onset, offset] = refs.map((ref) => slots.get(ref ?? ''))
        if (onset === undefined || offset === undefined) {
          throw new SonotextError(
            'INVALID_FILE',
            `an annotation refers to a time that is not there: ${String(refs).slice(0, 60)}.`,
            {
              file: at,
              remedy: 'Give its tier times in ELAN, and save it again.',
            },
          )
        }
        checkTimes(onset / 1000, offset / 1000, at)
        segments.push({ phrase: value, onset: onset / 1000, offset: offset / 1000 })
      }
    }
    if (root !== 'ANNOTATION_DOCUMENT') {
      throw new SonotextError(
        'INVALID_FILE',
        `expected ANNOTATION_DOCUMENT, got ${root ?? 'an empty document'}.`,
        {
          file,
          remedy: 'Check that this is a file that ELAN saved.',
        },
      )
    }
    return [{ recording, segments }]
  },
}

function millisecondsOf(value: string, at: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value)
  throw new SonotextError('INVALID_FILE', `expected whole milliseconds, got "${value.slice(0, 40)}".`, {
    file: at,
  })
}

function urlOf(recording: string): string {
  const path = recording.toWellFormed().replaceAll('\\', '/')
  const encoded = encodeURI(path).replaceAll('#', '%23').replaceAll('?', '%3F')
  return path.startsWith('/') ? `file://${encoded}` : encoded
}

function pathOf(url: string): string {
  const path = url.replace(/^file:\/\/(?=\/)/, '')
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

const mimes: Record<string, string> = {
  wav: 'audio/x-wav',
  mp3: 'audio/mpeg',
  flac: 'audio/flac',
  ogg: 'audio/ogg',
  m4a: 'audio/mp4',
}

function mimeOf(recording: string): string {
  return mimes[/\.(\w+)$/.exec(recording)?.[1]?.toLowerCase() ?? ''] ?? 'unknown'
}
