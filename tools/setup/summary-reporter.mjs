// The last lines of `npm test`: every reason for a skipped test, then `N passed, N failed, N skipped`.

/** What was given to `context.skip()`, else the parenthesis that ends a title: of the outermost suite that has one. */
export function skipReason(test) {
  const note = test.result().note
  if (note !== undefined) return note
  let reason = `${test.module.relativeModuleId} gives no reason`
  for (let node = test; node.type !== 'module'; node = node.parent) {
    reason = /\((?:skipped: )?([^()]+)\)$/.exec(node.name)?.[1] ?? reason
  }
  return reason
}

export function summaryOf(modules, errors) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  const reasons = new Map()
  for (const module of modules) {
    const tests = [...module.children.allTests()]
    if (tests.length === 0 && module.state() === 'failed') counts.failed++ // it could not be read
    for (const test of tests) {
      const { state } = test.result()
      if (state === 'passed' || state === 'failed') {
        counts[state]++
        continue
      }
      counts.skipped++
      const reason = skipReason(test)
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
    }
  }
  const lines = [...reasons].map(([reason, count]) => `skipped ${count}: ${reason}`)
  if (errors.length > 0) lines.push(`${errors.length} errors outside of tests`)
  return [...lines, `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`]
}

export default class SummaryReporter {
  onTestRunEnd(modules, errors) {
    process.stdout.write(`${summaryOf(modules, errors).join('\n')}\n`)
  }
}
