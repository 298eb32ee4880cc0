import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { Rng } from '@sonotext/core/base'
import * as scenes from './index.js'
import { captionScene } from './grammar.js'
import type { Lexicon } from './lexeme.js'
import { lexemeOf } from './lexicon.js'
import { proceduralLabels } from './sound-bank.js'
import { sceneOptions } from './sketch.js'

const guide = await readFile(new URL('../../../docs/guide/soundscapes.md', import.meta.url), 'utf8')

test('the guide names what is exported, every class and every option with its default', () => {
  for (const [, names] of guide.matchAll(/import \{ ([^}]*) \} from '@sonotext\/scenes'/g)) {
    for (const name of names!.split(', ')) expect(scenes).toHaveProperty(name)
  }
  const list = /no voice is in two splits: ([^.]*)\./.exec(guide)![1]!.split(/,\s+/)
  expect(list).toEqual([...proceduralLabels].sort())
  for (const [name, value] of Object.entries(sceneOptions())) {
    const shown = Array.isArray(value) ? `[${value.join(', ')}]` : String(value)
    expect(guide).toMatch(new RegExp(`\\| \`${name}\` +\\| ${shown.replace(/[[\]]/g, '\\$&')} +\\|`))
  }
})

test('captions and lexicon of the guide are real', () => {
  const scene: scenes.SceneDescription = {
    background: 'rain',
    groups: [
      { label: 'dog', count: 2 },
      { label: 'clock_tick', count: null },
    ],
    relations: ['then'],
  }
  const possible = new Set<string>()
  for (let seed = 0; seed < 3000; seed++) {
    for (const { text } of captionScene(scene, { rng: new Rng(seed), count: 8 })) possible.add(text)
  }
  for (const [, caption] of guide.matchAll(/^> (.*?)\\?$/gm)) expect(possible).toContain(caption)
  const entry = /theremin: (\{[\s\S]*?\n {4}\}),/.exec(guide)![1]!
  const lexicon = { theremin: new Function(`return ${entry}`)() } as Lexicon
  const theremin: scenes.SceneDescription = {
    background: null,
    groups: [{ label: 'theremin', count: 2 }],
    relations: [],
  }
  const captions = captionScene(theremin, { rng: new Rng(1), lexeme: (label) => lexemeOf(label, lexicon) })
  expect(captions.map((caption) => caption.text).join()).toMatch(/wails? twice|theremin notes/)
})
