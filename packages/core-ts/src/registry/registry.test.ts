import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Family, familyNamed, keysOf, loadPlugins, parseGroup, partOf, pluginName } from './index.js'

interface Shape {
  readonly area: number
}
const shapePart = partOf<Shape, number>()
const square = shapePart({
  name: 'square',
  description: 'Four equal sides.',
  schema: { properties: { side: { type: 'number', minimum: 0, default: 2, description: 'Length.' } } },
  // The type of `side` follows from the schema.
  fromConfig: ({ side }, unit) => ({ area: side ** 2 * unit }),
})
const frame = shapePart({
  name: 'frame',
  description: 'One shape in another.',
  schema: {
    properties: { inner: { family: 'shape', default: 'square' }, width: { type: 'number' } },
    required: ['width'],
  },
  fromConfig: ({ inner, width }, unit): Shape => ({ area: shapes.build(inner, unit).area + width * unit }),
})
const shapes: Family<Shape, number> = new Family<Shape, number>('shape', [square, frame])

describe('a family', () => {
  it('makes parts from their configurations, whose defaults it fills', () => {
    expect(shapes.build('square', 10).area).toBe(40)
    expect(shapes.build({ type: 'square', side: 3 }, 1).area).toBe(9)
    expect(shapes.build({ type: 'frame', width: 1, inner: { type: 'square', side: 1 } }, 1).area).toBe(2)
  })

  it('says what is wrong, with the key and the nearest name', () => {
    expect(() => shapes.build('squrae', 1)).toThrow(
      /shape\.type: expected one of square, frame, got "squrae" \(did you mean square\?\)/,
    )
    expect(() => shapes.build({ type: 'frame', inner: { side: -1 }, wdth: 1 }, 1)).toThrow(
      /unknown key shape\.wdth \(did you mean shape\.width\?\); shape\.inner\.side: must be >= 0, got -1; missing key shape\.width/,
    )
    expect(() => shapes.build({ type: 'square', width: 1 }, 1)).toThrow(
      /shape\.width: a key of shape\.type frame, not of square/,
    )
    expect(() => shapes.get('circle', { plugin: 'round.mjs' })).toThrow(
      /the part "circle" of the family shape comes from the plugin round\.mjs, which is not loaded.*--plugin round\.mjs/,
    )
    expect(() => familyNamed('shap')).toThrow(
      /Expected one of .*shape.* for the name of a family, got "shap"/,
    )
  })

  it('takes further parts, but no two of a name and nothing that is none', () => {
    shapes.register({
      name: 'dot',
      description: 'No sides.',
      schema: { properties: {} },
      fromConfig: () => ({ area: 0 }),
    })
    expect(shapes.build('dot', 1).area).toBe(0)
    expect(() => shapes.register({ ...square, fromConfig: () => ({ area: 0 }) })).toThrow(
      /"square", which is there already/,
    )
    for (const [wrong, said] of [
      [{}, 'name, description, schema, fromConfig'],
      [{ ...square, name: 'a b' }, 'name missing or wrong in "a b"'],
      [
        { ...square, name: 'typed', schema: { properties: { type: {} } } },
        'schema missing or wrong in "typed"',
      ],
    ] as const)
      expect(() => shapes.register(wrong as never)).toThrow(said)
  })
})

it('keys name the choices they belong to, also where a part holds parts of its own family', () => {
  const keys = keysOf({ properties: { shape: { family: 'shape', default: 'square' } } })
  expect(keys.map(({ key, when }) => [key, ...when])).toEqual([
    ['shape.type'],
    ['shape.side', 'shape.type=square'],
    ['shape.width', 'shape.type=frame'],
  ])
})

it('paths are resolved where a schema says that they are some', () => {
  const schema = {
    properties: { file: { type: 'string', format: 'path' }, name: { type: 'string' } },
  } as const
  const parsed = parseGroup(schema, { file: 'a', name: 'a' }, '', { problems: [], base: '/b' })
  expect(parsed).toEqual({ file: join('/b', 'a'), name: 'a' })
})

describe('plugins', () => {
  let folder: string
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sonotext-registry-'))))
  afterAll(() => rm(folder, { recursive: true }))
  const plugin = (name: string) =>
    `export default ({ register }) => register('shape', { name: '${name}', description: '', schema: { properties: {} }, fromConfig: () => ({ area: 7 }) })`

  it('are loaded once, relative to a folder, and remembered with their parts', async () => {
    await writeFile(join(folder, 'hexagon.mjs'), plugin('hexagon'))
    await Promise.all([
      loadPlugins(['./hexagon.mjs'], { base: folder }),
      loadPlugins([join(folder, 'hexagon.mjs')]),
    ])
    expect(shapes.build('hexagon', 1).area).toBe(7)
    expect(shapes.pluginOf('hexagon')).toBe('hexagon.mjs')
    expect(shapes.pluginOf('square')).toBeUndefined()
    expect([pluginName('/a/b.mjs'), pluginName('some-package')]).toEqual(['b.mjs', 'some-package'])
  })

  it('may load others, themselves among them, and wait for them', async () => {
    await writeFile(join(folder, 'inner.mjs'), plugin('heptagon'))
    await writeFile(
      join(folder, 'outer.mjs'),
      `${plugin('octagon')}
      export const done = globalThis.loadPlugins(['./inner.mjs', './outer.mjs'], { base: ${JSON.stringify(folder)} })
      await done`,
    )
    Object.assign(globalThis, { loadPlugins })
    await loadPlugins(['./outer.mjs'], { base: folder })
    expect(shapes.pluginOf('heptagon')).toBe('inner.mjs')
    expect(shapes.pluginOf('octagon')).toBe('outer.mjs')
  })

  it('that fail may be mended and loaded again', async () => {
    await writeFile(join(folder, 'bad.mjs'), 'export default () => { throw new Error("no luck") }')
    await expect(loadPlugins(['bad.mjs'], { base: folder })).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: expect.stringMatching(/bad\.mjs: the plugin cannot be loaded: no luck/) as string,
    })
    await expect(loadPlugins(['bad.mjs'], { base: folder })).rejects.toThrow(/no luck/)
    await expect(loadPlugins(['./none.mjs'], { base: folder })).rejects.toMatchObject({
      code: 'MISSING_FILE',
    })
  })

  it('that lack a package are told where to install it', async () => {
    await writeFile(join(folder, 'lacks.mjs'), `import '@somebody/package'`)
    await expect(loadPlugins(['lacks.mjs'], { base: folder })).rejects.toThrow(
      /Install @somebody\/package in the folder of the plugin or one above it/,
    )
  })
})

it('a family names the part that builds something else', () => {
  const family = new Family<{ area(): number }>('room', [], { methods: ['area'] })
  const fromConfig = () => ({}) as never
  family.register({ name: 'half', description: '', schema: { properties: {} }, fromConfig })
  expect(() => family.build('half', undefined)).toThrow(
    /the part "half" of the family room gave something without area/,
  )
})
