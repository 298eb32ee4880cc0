/** Where two texts part, with some lines around: `\n  line 12\n  - found\n  + wanted`. */
export function firstDifference(found, wanted, context = 3) {
  const [left, right] = [found.split('\n'), wanted.split('\n')]
  let from = 0
  while (from < left.length && left[from] === right[from]) from++
  let [leftEnd, rightEnd] = [left.length, right.length]
  while (leftEnd > from && rightEnd > from && left[leftEnd - 1] === right[rightEnd - 1]) {
    leftEnd--
    rightEnd--
  }
  const most = 12
  const show = (sign, lines) => [
    ...lines.slice(0, most).map((line) => `  ${sign} ${line}`),
    ...(lines.length > most ? [`  ${sign} … ${lines.length - most} more`] : []),
  ]
  return [
    `, from line ${from + 1}:`,
    ...left.slice(Math.max(0, from - context), from).map((line) => `    ${line}`),
    ...show('-', left.slice(from, leftEnd)),
    ...show('+', right.slice(from, rightEnd)),
  ].join('\n')
}
