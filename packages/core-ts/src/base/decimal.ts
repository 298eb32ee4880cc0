const decimal = /^[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?$/i

/** A number in decimal notation, as files of numbers hold; undefined for anything else, such as `0x1F`, `Infinity`, `1,5` or nothing. */
export function decimalNumber(text: string): number | undefined {
  const value = decimal.test(text) ? Number(text) : Number.NaN
  return Number.isFinite(value) ? value : undefined
}

/** What to do about a text that should have been a number. */
export function decimalRemedy(text: string): string {
  return /^[-+]?\d*,\d+(e[-+]?\d+)?$/i.test(text)
    ? `Write a point in place of the decimal comma: ${text.replace(',', '.')}.`
    : 'Write it in decimal notation, such as 0.25 or 1e-3.'
}
