import { resolve } from 'node:path'
import { checkOptions } from '../../base/options.js'
import { readAudioGrounding } from '../../segments/index.js'
import { type Clip, defaultCaptionId } from '../manifest.js'
import { importerPart, usualSplitOf } from './importer.js'

/** Files of AudioGrounding (Xu et al. 2021). */
export interface AudioGroundingFiles {
  /** `train.json`, `val.json` or `test.json` of version 1 or 2; which of them is told from what is in it. */
  captions: string
  /** Folder of the audio files; they need not be there yet. */
  audio: string
  /** Name of the split in the manifest. */
  split?: string
}

/**
 * Clips of AudioGrounding in order of first appearance: every caption, and where each of its phrases is heard as an event. Phrases that
 * are nowhere heard have none. Throws as {@link readAudioGrounding}.
 */
export async function importAudioGrounding(files: AudioGroundingFiles): Promise<Clip[]> {
  const { captions, audio, split } = checkOptions(files, 'importAudioGrounding')
  const byClip = Map.groupBy(await readAudioGrounding(captions), (caption) => caption.audio)
  return Array.from(byClip, ([file, own]): Clip => {
    const texts = [...new Set(own.map(({ caption }) => caption))]
    return {
      id: file,
      audio: resolve(audio, file),
      captions: texts.map((text, i) => ({ id: defaultCaptionId(file, i), text })),
      ...(split === undefined ? {} : { split }),
      ...videoOf(file),
      events: own.flatMap(({ phrases }) =>
        phrases.flatMap(({ phrase, spans }) => spans.map((span) => ({ label: phrase, ...span }))),
      ),
    }
  })
}

/** The video that a clip is cut from, as both versions write it: `<ytid>_<start>_<end>.wav` and `Y<ytid>.wav`. */
function videoOf(file: string): { group?: string } {
  const [, first, second] = /^(?:([-\w]+)_\d+\.\d+_\d+\.\d+|Y([-\w]{11}))\.\w+$/.exec(file) ?? []
  const ytid = first ?? second
  return ytid === undefined ? {} : { group: `youtube/${ytid}` }
}

export const audioGroundingImporter = importerPart({
  name: 'audiogrounding',
  description: 'train.json, val.json or test.json of AudioGrounding 1 or 2: captions, and phrases as events.',
  schema: { properties: {} },
  fromConfig: () => ({
    read: ({ path, audio, split = usualSplitOf(path) }) =>
      importAudioGrounding({ captions: path, audio, ...(split && { split }) }),
  }),
})
