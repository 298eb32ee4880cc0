// The last lines of `npm test`: every skipped test with its reason, then `N passed, N failed, N skipped`.
export default class SummaryReporter {
  onTestRunEnd(modules, errors) {
    const counts = { passed: 0, failed: 0, skipped: 0 }
    const reasons = new Map()
    for (const module of modules) {
      if (module.state() === 'failed' && [...module.children.allTests()].length === 0) counts.failed++
      for (const test of module.children.allTests()) {
        const result = test.result()
        const state = result.state === 'pending' ? 'skipped' : result.state
        counts[state]++
        if (state !== 'skipped') continue
        const reason = result.note ?? `no reason given (${module.relativeModuleId})`
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
      }
    }
    const lines = [...reasons].map(([reason, count]) => `skipped ${count}: ${reason}`)
    if (errors.length > 0) lines.push(`${errors.length} errors outside of tests`)
    lines.push(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
    process.stdout.write(`${lines.join('\n')}\n`)
  }
}
