export { alignmentPage, type AlignmentPageOptions } from './alignment/alignment-page.js'
export type { Block, PageContext, RenderedBlock } from './block.js'
export {
  dataTable,
  folded,
  interactive,
  type InteractiveOptions,
  section,
  type TableColumn,
  type TableOptions,
} from './blocks.js'
export { chart, type ChartOptions } from './chart.js'
export { comparisonPage, type ComparisonPageOptions, type NamedComparison } from './comparison-page.js'
export { Html, html, type HtmlValue } from './html.js'
export { type PageOptions, renderPage } from './page.js'
export { relevanceComplexityPage } from './relevance-complexity.js'
export { type RelevanceFit, relevanceFitPage } from './relevance-fit.js'
export { type RunHistory, runsPage } from './runs-page.js'
export { chartColors, type VegaLiteSpec } from './vega.js'
export { listeningPage, type ListeningPageOptions } from './listening/page.js'
