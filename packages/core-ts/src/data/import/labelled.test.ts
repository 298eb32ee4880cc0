import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readAlignmentTruth } from '../../align/index.js'
import { segmentFormat } from '../../segments/index.js'
import { describeWithRealData } from '../../testing/real-data/index.js'
import { readManifest, writeManifest } from '../index.js'
import { importAudioGrounding } from './audio-grounding.js'
import { importers } from './registry.js'
import { importSegments } from './segments.js'

const folder = mkdtempSync(join(tmpdir(), 'import-labelled-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('clips for a manifest', () => {
  it('of AudioGrounding: captions, and phrases as events', async () => {
    const labels = join(folder, 'grounding.json')
    const item = (tokens: string) => ({
      audiocap_id: 1,
      audio_id: 'Yx.wav',
      tokens,
      phrases: [{ phrase: 'rain', start_index: 0, end_index: 0, segments: [[1, 2]] }],
    })
    writeFileSync(labels, JSON.stringify([item('rain falls'), item('rain on a roof')]))
    expect(await importAudioGrounding({ captions: labels, audio: '/audio', split: 'train' })).toEqual([
      {
        id: 'Yx.wav',
        audio: '/audio/Yx.wav',
        split: 'train',
        captions: [
          { id: 'Yx.wav#1', text: 'rain falls' },
          { id: 'Yx.wav#2', text: 'rain on a roof' },
        ],
        events: [
          { label: 'rain', onset: 1, offset: 2 },
          { label: 'rain', onset: 1, offset: 2 },
        ],
      },
    ])
  })

  it('of strong labels, silent ones too, and they are a manifest', async () => {
    const labels = join(folder, 'strong.TSV')
    writeFileSync(labels, 'filename\tonset\toffset\tevent_label\na.wav\t0.5\t1\tDog\nb.wav\t\t\t\n')
    const clips = await importSegments({ labels, audio: folder })
    await writeManifest(join(folder, 'strong.jsonl'), clips)
    expect((await readManifest(join(folder, 'strong.jsonl'))).clips).toEqual(clips)
    const truth = await readAlignmentTruth(join(folder, 'strong.jsonl'))
    expect(truth).toEqual(segmentFormat('strong-labels').read(readFileSync(labels, 'utf8'), labels))
  })

  it('says how many events have no length and are left out', async () => {
    const labels = join(folder, 'points.tsv')
    writeFileSync(labels, 'a.wav\t0\t1\tDog\na.wav\t2\t2\tDog\nb.wav\t3\t3\tCat\n')
    const notes: string[] = []
    const source = { path: labels, audio: folder, onNote: (note: string) => void notes.push(note) }
    const clips = await importers.build('segments').read(source)
    expect(clips.map(({ events }) => events!.length)).toEqual([1, 0])
    expect(notes).toEqual([`${labels}: 2 events of no length left out.`])
  })

  it('of JAMS, with a duration, and of AudioSet, whose ids are no file names', async () => {
    const jams = join(folder, 'street_test.jams')
    const recording = {
      recording: 'street.wav',
      duration: 10,
      segments: [{ phrase: 'car', onset: 1, offset: 2 }],
    }
    writeFileSync(jams, segmentFormat('jams').write([recording]))
    expect(await importers.build('segments').read({ path: jams, audio: '/audio' })).toEqual([
      {
        ...{ id: 'street.wav', audio: '/audio/street.wav', split: 'test', captions: [], duration: 10 },
        events: [{ label: 'car', onset: 1, offset: 2 }],
      },
    ])
    const strong = join(folder, 'audioset.txt')
    writeFileSync(
      strong,
      'segment_id\tstart_time_seconds\tend_time_seconds\tlabel\nab-c_30000\t0\t1\t/m/09x0r\n',
    )
    const importer = importers.build({
      ...{ type: 'segments', format: 'strong-labels', filePattern: 'Y{file}.flac' },
    })
    const [clip] = await importer.read({ path: strong, audio: '/audio' })
    expect(clip).toMatchObject({ id: 'ab-c_30000', audio: '/audio/Yab-c_30000.flac' })
    expect(clip).not.toHaveProperty('split')
    expect(() => importers.build({ type: 'segments', format: 'mp3' })).toThrow(/format/)
  })

  describeWithRealData('AudioGrounding 1, train', (data) => {
    it('whole: captions, phrases and their times, a group for each video', async () => {
      const path = join(data, 'phrases/audiogrounding_v1_train.json')
      const clips = await importers.build('audiogrounding').read({ path, audio: '/audio' })
      const events = clips.flatMap((clip) => clip.events!)
      expect([clips.length, clips.flatMap(({ captions }) => captions).length, events.length]).toEqual([
        4489,
        4489,
        20_196 - 383,
      ])
      expect(new Set(clips.map(({ split }) => split))).toEqual(new Set(['train']))
      expect(clips.every(({ group }) => group?.startsWith('youtube/'))).toBe(true)
      const manifest = join(folder, 'grounding.jsonl')
      await writeManifest(manifest, clips)
      expect((await readManifest(manifest)).clips).toEqual(clips)
    })
  })
})
