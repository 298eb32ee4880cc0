import type { ListeningPlan } from '../../relevance/index.js'
import { interactive } from '../blocks.js'
import { html } from '../html.js'
import { renderPage } from '../page.js'
import { listeningScript } from './script.js'
import { listeningStyle } from './style.js'

/** Options of {@link listeningPage}. */
export interface ListeningPageOptions {
  readonly title?: string
  /** Where the browser finds each clip, relative to the page. */
  readonly audio: ReadonlyMap<string, string>
  /** Seconds of each clip that must be played before it can be rated, or all of a shorter one; default 5. */
  readonly leastSeconds?: number
  /** Tells the progress of one test from that of another in the same browser. */
  readonly id: string
}

/**
 * The page of a listening test: a caption and its clips one list at a time, a slider from 0 to 100 for each that wakes up once the clip was
 * listened to. Progress stays in the browser; at the end the ratings are a table that `readRatings` takes.
 */
export function listeningPage(plan: ListeningPlan, options: ListeningPageOptions): Promise<string> {
  const { title = 'Listening test', audio, leastSeconds = 5, id } = options
  return renderPage({
    title,
    network: 'same-origin',
    blocks: [
      interactive({
        markup: html`<div class="listening"><p>Please open this page in a browser that runs scripts.</p></div>`,
        script: listeningScript,
        style: listeningStyle,
        data: {
          id,
          leastSeconds,
          lists: plan.lists.map(({ query, text, items }) => ({
            query,
            text,
            items: items.map(({ item, group }) => ({ item, group, audio: audio.get(item) })),
          })),
          raters: plan.raters,
        },
      }),
    ],
  })
}
