/** Thrown by a stage that cannot run here: its reason. In CI it counts as a failure. */
export class Skipped extends Error {}

/**
 * Runs stages one after the other; a failing one stops none of the others.
 * A stage is `{ name, what, run(context) }`; what `run` resolves to is shown as what it saw.
 */
export async function runStages(stages, { contextOf, onStart, onResult, inCi = process.env.CI === 'true' }) {
  for (const stage of stages) {
    onStart?.(stage)
    const started = performance.now()
    const context = contextOf(stage)
    const ended = (outcome, why) =>
      onResult({ stage: stage.name, outcome, seconds: Math.round((performance.now() - started) / 1000), why })
    try {
      ended('passed', (await stage.run(context)) ?? '')
    } catch (error) {
      const outcome = error instanceof Skipped && !inCi ? 'skipped' : 'failed'
      ended(outcome, firstLine(error instanceof Error ? error.message : String(error)))
    } finally {
      context.end?.()
    }
  }
}

/** The results as a table in plain text, and a last line that counts them. */
export function table(results) {
  const rows = [
    ['stage', 'result', 'time', 'what it saw, or why not'],
    ...results.map(({ stage, outcome, seconds, why }) => [stage, outcome, duration(seconds), why]),
  ]
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length)))
  const line = (row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  const count = (outcome) => results.filter((result) => result.outcome === outcome).length
  const total = `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`
  return [...rows.map(line), total].join('\n')
}

function duration(seconds) {
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

function firstLine(text) {
  return text.trim().split('\n', 1)[0]
}
