/** Small pieces of English that the captions need. */

const silentH = /^(hour|honest|honou?r|heir)/i
const consonantVowel = /^(uni([^mn]|$)|use|usu|eu|one\b|once|ukulele|ufo|[bcdgjkpqtuvwyz]\b)/i

/** "a dog", "an owl", "an hour", "a unicorn", "an 8-bit tune". */
export function withArticle(noun: string): string {
  const vowel = /^([aeiou]|8|1[18]\b|[fhlmnrsx]\b)/i.test(noun) || silentH.test(noun)
  return `${vowel && !consonantVowel.test(noun) ? 'an' : 'a'} ${noun}`
}

const numbers = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten']

/** "two", ..., "ten", then digits. */
export function numberWord(count: number): string {
  return numbers[count] ?? String(count)
}

/** "once", "twice", "three times". */
export function timesWord(count: number): string {
  return count === 1 ? 'once' : count === 2 ? 'twice' : `${numberWord(count)} times`
}

/** Capital first letter and a full stop. */
export function sentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`
}
