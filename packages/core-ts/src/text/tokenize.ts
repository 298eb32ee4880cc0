/** Every ASCII punctuation mark but the hyphen. */
const punctuation = /[!"#$%&'()*+,./\\:;<=>?@[\]^_`{|}~]/g

/**
 * Words of a caption: lower case, punctuation to blanks (hyphens and dashes stay, so "walkie-talkie" is one word), split at
 * white space. The cleaning of Xie, Räsänen and Virtanen's Clotho experiments, without their corrections by hand.
 */
export function tokenize(text: string): string[] {
  return text.toLowerCase().replace(punctuation, ' ').split(/\s+/).filter(Boolean)
}
