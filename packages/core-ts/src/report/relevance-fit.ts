import type { FitQuality, LogisticConstants } from '../relevance/index.js'
import { dataTable, section } from './blocks.js'
import { chart } from './chart.js'
import { renderPage } from './page.js'
import { chartColors } from './vega.js'

/** What `sonotext relevance fit` found. */
export interface RelevanceFit {
  readonly similarities: readonly string[]
  readonly constants: LogisticConstants
  /** By what it was measured on. */
  readonly quality: Readonly<Record<string, FitQuality>>
}

/** A page with constants, fit and calibration of relevance from similarity of captions. */
export function relevanceFitPage({ similarities, constants, quality }: RelevanceFit): Promise<string> {
  const three = (x: number | null) => (x === null ? '–' : x.toFixed(3))
  const names = Object.keys(quality)
  const bins = Object.entries(quality).flatMap(([on, { calibration }]) =>
    calibration.map((bin) => ({ on, ...bin })),
  )
  return renderPage({
    title: 'Relevance from similarity of captions',
    summary: `relevance = σ(${constants.intercept.toFixed(2)} − ${constants.slopes
      .map((slope, j) => `${slope.toFixed(2)}·(1 − ${similarities[j]})`)
      .join(' − ')})`,
    blocks: [
      section(
        'Fit',
        dataTable({
          caption: 'How well predicted relevance fits ratings',
          columns: [
            { title: 'measured on', cell: ([name]: [string, FitQuality]) => name },
            { title: 'pairs', cell: ([, of]) => of.pairs },
            { title: 'queries', cell: ([, of]) => of.queries },
            { title: 'Pearson', cell: ([, of]) => three(of.pearson) },
            { title: '95 %', cell: ([, of]) => of.pearsonInterval?.map(three).join('–') ?? '–' },
            { title: 'Spearman', cell: ([, of]) => three(of.spearman) },
            { title: 'MSE', cell: ([, of]) => of.mse.toFixed(4) },
            { title: 'MSE of the mean', cell: ([, of]) => of.constantMse.toFixed(4) },
          ],
          rows: Object.entries(quality),
        }),
        '95 % intervals are percentiles of draws of whole queries.',
      ),
      section(
        'Calibration',
        'Where a curve lies on the diagonal, pairs that are predicted a relevance are rated so on average.',
        chart({
          title: 'Rated and predicted relevance',
          alt: `Mean rated relevance over mean predicted relevance in ten bins, measured on ${names.join(', ')}.`,
          spec: {
            layer: [
              {
                data: { values: [{ at: 0 }, { at: 1 }] },
                mark: { type: 'line', strokeDash: [4, 4], color: chartColors.muted, strokeWidth: 1 },
                encoding: {
                  x: { field: 'at', type: 'quantitative' },
                  y: { field: 'at', type: 'quantitative' },
                },
              },
              {
                data: { values: bins },
                mark: { type: 'line', point: true },
                encoding: {
                  x: {
                    field: 'predicted',
                    type: 'quantitative',
                    title: 'predicted relevance',
                    scale: { domain: [0, 1] },
                  },
                  y: {
                    field: 'observed',
                    type: 'quantitative',
                    title: 'rated relevance',
                    scale: { domain: [0, 1] },
                  },
                  color: {
                    field: 'on',
                    title: null,
                    scale: { domain: names, range: chartColors.series.slice(0, names.length) },
                  },
                },
              },
            ],
          },
          table: {
            caption: 'Bins of predicted relevance',
            columns: [
              { title: 'measured on', cell: ({ on }: (typeof bins)[number]) => on },
              { title: 'pairs', cell: ({ pairs }) => pairs },
              { title: 'predicted', cell: ({ predicted }) => predicted.toFixed(3) },
              { title: 'rated', cell: ({ observed }) => observed.toFixed(3) },
            ],
            rows: bins,
          },
        }),
      ),
    ],
  })
}
