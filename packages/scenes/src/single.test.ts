import { Rng } from '@sonotext/core/base'
import { expect, test } from 'vitest'
import { proceduralBank } from './index.js'
import { sceneOptions, sketchScenes } from './sketch.js'

const bank = proceduralBank()
const sketches = (count: number, single: number) =>
  sketchScenes(bank, 'train', count, sceneOptions({ single }), new Rng(1))
const isAlone = ({ background, groups }: { background: string | null; groups: readonly object[] }) =>
  (background === null ? 0 : 1) + groups.length === 1

test('a share of scenes holds one thing alone, of every class', () => {
  const alone = sketches(400, 1)
  expect(alone.every(isAlone)).toBe(true)
  const labels = new Set(alone.map(({ background, groups }) => background ?? groups[0]!.label))
  expect(labels).toEqual(new Set(bank.labels('train')))
  // Whatever is alone by chance comes on top.
  const [none, half] = [sketches(200, 0).filter(isAlone).length, sketches(200, 0.5).filter(isAlone).length]
  expect(half).toBeGreaterThanOrEqual(100)
  expect(half).toBeLessThanOrEqual(100 + none)
})

test('without it scenes are those of before', () => {
  expect(sketches(20, 0)).toEqual(sketchScenes(bank, 'train', 20, sceneOptions(), new Rng(1)))
  expect(() => sceneOptions({ single: 1.5 })).toThrow(/share from 0 to 1 for single/)
})
