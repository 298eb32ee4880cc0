import type * as Vega from 'vega'
import type * as VegaLite from 'vega-lite'
import { SonotextError } from '../base/errors.js'

/** A vega-lite specification without a width; data stands in it as values. */
export type VegaLiteSpec = Readonly<Record<string, unknown>>

/** Colours of marks that follow light and dark pages. They are names: no scale can mix them. */
export const chartColors = {
  /** In the order in which series take them; told apart with any colour vision. */
  series: [1, 2, 3, 4, 5, 6, 7, 8].map((n) => `var(--series-${n})`),
  text: 'var(--text)',
  muted: 'var(--muted)',
  line: 'var(--line)',
} as const

const configFor = (width: number): object => ({
  aria: false,
  background: null,
  font: 'system-ui, sans-serif',
  view: { stroke: null },
  axis: {
    labelColor: chartColors.muted,
    titleColor: chartColors.text,
    domainColor: chartColors.line,
    tickColor: chartColors.line,
    gridColor: chartColors.line,
    titleFontWeight: 'normal',
    labelFontSize: 12,
    titleFontSize: 12,
    labelLimit: 240,
  },
  legend: {
    labelColor: chartColors.text,
    titleColor: chartColors.text,
    titleFontWeight: 'normal',
    labelFontSize: 12,
    titleFontSize: 12,
    labelLimit: 280,
    orient: 'top',
    // Beside long names of an axis a narrow drawing has room for one.
    columns: width < 500 ? 1 : Math.floor(width / 160),
  },
  header: {
    labelColor: chartColors.text,
    titleColor: chartColors.text,
    labelFontSize: 12,
    titleFontWeight: 'normal',
  },
  title: { color: chartColors.text },
  text: { color: chartColors.text },
  mark: { color: chartColors.series[0] },
  rule: { color: chartColors.muted },
  range: { category: chartColors.series },
})

/** Widths in pixels at which charts are drawn; style rules of the page show the one that fits. */
export const chartWidths = { narrow: 320, wide: 680 } as const

/**
 * The specification drawn as SVG, so wide in all. Numbers of ids begin with `prefix`. Throws MISSING_DEPENDENCY without the packages vega
 * and vega-lite, INVALID_ARGUMENT for what they refuse.
 */
export async function drawChart(
  spec: VegaLiteSpec | ((width: number) => VegaLiteSpec),
  width: number,
  prefix: string,
): Promise<string> {
  const { vega, vegaLite } = await packages()
  const whole =
    typeof spec === 'function'
      ? spec(width)
      : { ...spec, width, autosize: { type: 'fit-x', contains: 'padding' } }
  const refused = (reason: unknown): SonotextError =>
    new SonotextError('INVALID_ARGUMENT', `vega-lite could not draw a chart (${String(reason)}).`, {
      remedy: 'Give a specification without files or addresses, with its data as values.',
      cause: reason,
    })
  const complaints: string[] = []
  const logger = quiet((said) => void complaints.push(said))
  let svg: string
  try {
    const compiled = vegaLite.compile(whole as unknown as VegaLite.TopLevelSpec, {
      config: configFor(width),
      logger,
    })
    const view = new vega.View(vega.parse(compiled.spec), { renderer: 'none', loader: noFiles, logger })
    svg = await view.toSVG()
    view.finalize()
  } catch (cause) {
    throw refused(cause)
  }
  if (complaints.length > 0) throw refused(complaints[0])
  return withOwnIds(svg, prefix)
}

/** Neither files nor addresses are read for a chart. */
const noFiles = (() => {
  const refuse = (uri: string): never => {
    throw new Error(`it asks for ${uri}`)
  }
  const loader = { load: refuse, sanitize: refuse, http: refuse, file: refuse }
  return loader as unknown as Vega.Loader
})()

/** Hands on warnings and errors, prints nothing. That only the width of a list of names can be fitted is meant so. */
function quiet(complain: (said: string) => void): Vega.LoggerInterface {
  const hear = (...said: readonly unknown[]): Vega.LoggerInterface => {
    const words = said.join(' ')
    if (!words.startsWith('Dropping "fit-')) complain(words)
    return logger
  }
  const level = ((given?: number) => (given === undefined ? 0 : logger)) as Vega.LoggerInterface['level']
  const ignore = (): Vega.LoggerInterface => logger
  const logger: Vega.LoggerInterface = { level, error: hear, warn: hear, info: ignore, debug: ignore }
  return logger
}

/** Ids of clip paths and gradients are numbered through all charts of a process: several charts of a page must not share one. */
function withOwnIds(svg: string, prefix: string): string {
  const names = new Map<string, string>()
  for (const [, id] of svg.matchAll(/ id="([^"]+)"/g)) names.set(id!, `${prefix}-${names.size}`)
  return svg
    .replaceAll(/ id="([^"]+)"/g, (_, id: string) => ` id="${names.get(id)!}"`)
    .replaceAll(/url\(#([^)]+)\)/g, (_, id: string) => `url(#${names.get(id) ?? id})`)
}

async function packages(): Promise<{ vega: typeof Vega; vegaLite: typeof VegaLite }> {
  try {
    const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')])
    return { vega, vegaLite }
  } catch (cause) {
    throw new SonotextError(
      'MISSING_DEPENDENCY',
      'Expected the packages vega and vega-lite to draw charts.',
      {
        remedy: 'Install them: npm install vega vega-lite',
        cause,
      },
    )
  }
}
