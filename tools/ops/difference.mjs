/** How many equal lines in a row end a difference. */
const meeting = 3

/** The smallest numbers of lines to leave out on both sides before the texts run together again. */
function resume(left, right, i, j) {
  const meets = (a, b) => {
    for (let k = 0; k < meeting; k++) if (left[i + a + k] !== right[j + b + k]) return false
    return true
  }
  for (let both = 1; both < left.length - i + right.length - j; both++) {
    for (let a = 0; a <= both; a++) if (meets(a, both - a)) return [i + a, j + both - a]
  }
  return [left.length, right.length]
}

/** Every place where two texts differ, as `\n  line 12\n  - found\n  + wanted`, of at most `most` lines in all. */
export function difference(found, wanted, most = 40) {
  const [left, right] = [found, wanted].map((text) => text.split('\n'))
  const lines = []
  let [i, j] = [0, 0]
  while (i < left.length || j < right.length) {
    if (left[i] === right[j]) {
      i++
      j++
      continue
    }
    const [nextI, nextJ] = resume(left, right, i, j)
    lines.push(`line ${j + 1}`)
    lines.push(
      ...left.slice(i, nextI).map((line) => `- ${line}`),
      ...right.slice(j, nextJ).map((line) => `+ ${line}`),
    )
    ;[i, j] = [nextI, nextJ]
  }
  const shown = lines.length > most ? [...lines.slice(0, most), `… ${lines.length - most} more lines`] : lines
  return shown.map((line) => `\n  ${line}`).join('')
}
