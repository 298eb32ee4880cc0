/** Words of the tables, with what they mean. */
export const terms: readonly (readonly [name: string, meaning: string])[] = [
  [
    'mAP@10, R@k',
    'Mean average precision of the first ten hits; share of what is right among the first k. 1 is perfect; chance is what random order gives.',
  ],
  [
    '95 % interval',
    'Bootstrap in two levels: seeds and, independently, clips are drawn with replacement, 1,999 times (9,999 for differences).',
  ],
  [
    'p (Holm)',
    'Two-sided p of a difference to random, or to the strategy with the best mean, from the same draws, adjusted for all strategies, directions and tests of the setting. ≤ stands where no draw contradicts the difference: 9,999 draws cannot make it smaller.',
  ],
  ['effect', 'Mean difference over its standard deviation from seed to seed.'],
  [
    'effective rank',
    'exp of the entropy of the singular values’ shares (Roy, Vetterli 2007): about how many directions clips differ in.',
  ],
  [
    'alignment, uniformity',
    'Mean squared distance of matching vectors; logarithm of the mean Gaussian potential of different ones (Wang, Isola 2020). Both the lower, the better.',
  ],
  [
    'collapsed',
    'At the end and for all looks back to an epoch: mean cosine above 0.99, effective rank below 2, or scores that differ by less than 0.001.',
  ],
]
