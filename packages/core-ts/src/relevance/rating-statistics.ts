import { mean, median } from '../metrics/index.js'
import { type Rating, type RatingTable } from './rating.js'
import { sampleDeviation } from './relevances.js'

/** Ratings of one group of items, on the scale of the table. */
export interface GroupStatistics {
  /** As the table writes it; null where it says none. */
  readonly group: string | null
  readonly ratings: number
  readonly mean: number
  /** With the divisor n − 1; null for a single rating. */
  readonly deviation: number | null
  readonly median: number
}

/** Where the query's own item came among the items that one rater rated with it. */
export interface OwnItemStatistics {
  /** Lists (one rater's ratings for one query) that hold the query's own item. */
  readonly lists: number
  /** Of these, those where nothing is rated higher. */
  readonly topRated: number
  /** Mean number of items rated above it. */
  readonly above: number
}

/** How many ratings there are, and how they are spread. */
export interface RatingStatistics {
  readonly file: string
  readonly queries: number
  readonly items: number
  /** Raters that are named. */
  readonly raters: number
  readonly ratings: number
  readonly groups: readonly GroupStatistics[]
  /** null where no rating is of the group TP. */
  readonly own: OwnItemStatistics | null
  /** Mean number of items of a list in the upper half of the scale, its middle included. */
  readonly upperHalf: number
  /** Number of ratings in each tenth of the scale; the high end counts into the last. */
  readonly histogram: readonly number[]
}

/** Group of the item that the query was written for. */
export const ownGroup = 'TP'

/** What a table of ratings holds, in numbers. */
export function ratingStatistics({ ratings, scale, file }: RatingTable): RatingStatistics {
  const lists = [...Map.groupBy(ratings, ({ query, rater }) => JSON.stringify([query, rater])).values()]
  const { low, high } = scale
  const histogram = new Array<number>(10).fill(0)
  for (const { rating } of ratings)
    histogram[Math.min(9, Math.floor((10 * (rating - low)) / (high - low)))]!++
  return {
    file,
    queries: new Set(ratings.map(({ query }) => query)).size,
    items: new Set(ratings.map(({ item }) => item)).size,
    raters: new Set(ratings.flatMap(({ rater }) => rater ?? [])).size,
    ratings: ratings.length,
    groups: Array.from(
      Map.groupBy(ratings, ({ group }) => group),
      ([group, some]) => ofGroup(group, some),
    ),
    own: ofOwnItems(lists),
    upperHalf: ratings.filter(({ rating }) => rating >= (low + high) / 2).length / lists.length,
    histogram,
  }
}

function ofGroup(group: string | null, ratings: readonly Rating[]): GroupStatistics {
  const values = Float64Array.from(ratings, ({ rating }) => rating)
  return {
    group,
    ratings: values.length,
    mean: mean.of(values)(),
    deviation: values.length > 1 ? sampleDeviation(values) : null,
    median: median.of(values)(),
  }
}

function ofOwnItems(lists: readonly (readonly Rating[])[]): OwnItemStatistics | null {
  const above = lists.flatMap((ratings) => {
    const own = ratings.find(({ group }) => group === ownGroup)
    return own === undefined ? [] : [ratings.filter(({ rating }) => rating > own.rating).length]
  })
  if (above.length === 0) return null
  return {
    lists: above.length,
    topRated: above.filter((count) => count === 0).length,
    above: above.reduce((sum, count) => sum + count, 0) / above.length,
  }
}
