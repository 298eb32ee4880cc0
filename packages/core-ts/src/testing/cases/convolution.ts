import { type AnyOpCase, aroundWidths, blank, type OpCase, oracle, rounded } from './op-case.js'

interface Conv2dShape {
  n?: number
  h?: number
  w?: number
  cin?: number
  cout?: number
  kh?: number
  kw?: number
  slope?: number
}

function conv2d(what: string, shape: Conv2dShape): AnyOpCase[] {
  const { n = 2, h = 3, w = 5, cin = 3, cout = 4, kh = 3, kw = 3, slope = 0.1 } = shape
  const sizes = { n, h, w, cin, cout, kh, kw, slope }
  const pixels = n * h * w
  const scale = 1 / Math.sqrt(Math.max(kh * kw * cin, 1))
  const name = `${n}×${h}×${w}, ${cin} → ${cout}, kernel ${kh}×${kw}, slope ${slope} ${what}`
  const forward: OpCase<'conv2d'> = {
    op: 'conv2d',
    name,
    args: (draw) => ({
      x: draw.normal(pixels * cin),
      weight: draw.normal(kh * kw * cin * cout, scale),
      out: blank(pixels * cout),
      ...sizes,
    }),
  }
  const backward = (wanted: 'both' | 'x' | 'weight'): OpCase<'conv2d_backward'> => ({
    op: 'conv2d_backward',
    name: `${name}${wanted === 'both' ? '' : `, gradient of ${wanted} alone`}`,
    args: (draw) => {
      const args = forward.args(draw)
      oracle.run('conv2d', args)
      return {
        ...args,
        out: slope === 1 ? null : rounded(args.out as Float64Array),
        gradOut: draw.normal(pixels * cout),
        gradX: wanted === 'weight' ? null : blank(pixels * cin),
        gradWeight: wanted === 'x' ? null : blank(kh * kw * cin * cout),
      }
    },
  })
  return [forward, backward('both'), backward('x'), backward('weight')]
}

export const convolutionCases: readonly AnyOpCase[] = [
  ...aroundWidths.flatMap((size) => [
    ...conv2d('width', { w: size }),
    ...conv2d('channels in', { cin: size, slope: 0 }),
    ...conv2d('channels out', { cout: size, slope: 1 }),
    ...conv2d('channels both', { cin: size, cout: size, w: 4 }),
  ]),
  ...[0, 1, 2, 9].flatMap((size) => [...conv2d('images', { n: size }), ...conv2d('height', { h: size })]),
  ...conv2d('no neighbours', { kh: 1, kw: 1 }),
  ...conv2d('kernel larger than the image', { h: 2, w: 2, kh: 5, kw: 7 }),
  ...conv2d('kernel of one row', { kh: 1, kw: 5, w: 9 }),
  ...conv2d('kernel of one column', { kh: 5, kw: 1, h: 6 }),
  // Enough channels for tiled algorithms, images on both sides of their 4×4 tiles and chunks of tiles.
  ...[1, 3, 4, 5, 7, 8, 9].flatMap((size) => [
    ...conv2d('tiles down', { n: 1, h: size, w: 6, cin: 16, cout: 17 }),
    ...conv2d('tiles across', { n: 1, h: 5, w: size, cin: 18, cout: 16, slope: 1 }),
  ]),
  ...[15, 16, 17, 31, 33].flatMap((channels) => [
    ...conv2d('tiled, channels in', { n: 1, h: 4, w: 8, cin: channels, cout: 16, slope: 0 }),
    ...conv2d('tiled, channels out', { n: 1, h: 4, w: 8, cin: 16, cout: channels }),
  ]),
  ...conv2d('many tiles', { n: 5, h: 22, w: 17, cin: 16, cout: 16 }),
  // Weight gradients summed in several parts, by tiles and by strips of rows.
  ...conv2d('tiles in several parts', { n: 4, h: 34, w: 33, cin: 16, cout: 16 }),
  ...conv2d('strips in several parts', { n: 4, h: 40, w: 300, cin: 3, cout: 8 }),
  ...conv2d('first layer', { n: 2, h: 13, w: 64, cin: 1, cout: 32 }),
  ...conv2d('wide layer', { n: 2, h: 9, w: 16, cin: 32, cout: 128 }),
]
