import { readRelevances } from '@sonotext/core/relevance'
import type { RelevanceOptions } from '@sonotext/core/evaluation'
import type { CommandContext } from './command.js'
import { UsageError } from './exit.js'

/** Options of commands that measure against graded relevance when asked to. */
export interface RelevanceFlags {
  relevance?: string
  minGrade?: number
  unjudged?: NonNullable<RelevanceOptions['unjudged']>
}

/** Measures reported when none are named, by whether relevance is graded. */
export const usualMeasures = {
  binary: 'R@1,R@5,R@10,mAP@10,MRR,medR',
  graded: 'nDCG@5,nDCG@10,gAP,mAP@16,Spearman,Kendall',
} as const

export async function relevanceOptionsOf(
  { signal }: Pick<CommandContext, 'signal'>,
  { relevance, minGrade, unjudged }: RelevanceFlags,
): Promise<RelevanceOptions> {
  if (relevance === undefined) {
    for (const [name, value] of Object.entries({ '--min-grade': minGrade, '--unjudged': unjudged }))
      if (value !== undefined) throw new UsageError(`${name} is for graded relevance: give --relevance FILE.`)
    return {}
  }
  return {
    relevance: await readRelevances(relevance, { signal }),
    ...(minGrade === undefined ? {} : { minGrade }),
    ...(unjudged === undefined ? {} : { unjudged }),
  }
}
