import { describe, expect, it } from 'vitest'
import { duration } from './duration.js'
import { Progress, type ProgressStream } from './progress.js'
import { Terminal } from './terminal.js'

/** A stream that remembers, and a clock that is set by hand. */
function stage(isTTY: boolean, columns = 120) {
  const written: string[] = []
  const stream: ProgressStream = { isTTY, columns, write: (text) => void written.push(text) }
  const clock = { ms: 0 }
  const progress = (total: number, start = 0): Progress =>
    new Progress(stream, { label: 'train', total, unit: 'steps', start, now: () => clock.ms })
  return { written, stream, clock, progress }
}

const clear = '\r\u001b[2K'

describe('a terminal', () => {
  it('shows control characters of captions and names, and does not send them', () => {
    const said: string[] = []
    const streams = {
      stdout: { write: (text: string) => said.push(text) },
      stderr: { write: (text: string) => said.push(text) },
    }
    const evil = 'a \u001b]0;title\u0007 dog\u009b31m\u202e\n\tbarks'
    new Terminal({ json: false, quiet: false }, streams as never).result(evil, (text) => text)
    new Terminal({ json: false, quiet: false }, streams as never).warn(evil)
    const shown = String.raw`a \u001b]0;title\u0007 dog\u009b31m\u202e` + '\n\tbarks\n'
    expect(said).toEqual([shown, `warning: ${shown}`])
  })
})

describe('progress on a terminal', () => {
  it('redraws one line in place: bar, count, rate, time left, note', () => {
    const { written, clock, progress } = stage(true)
    const bar = progress(200)
    clock.ms = 5000
    bar.update(50, 'loss 0.5')
    expect(written).toEqual([
      `${clear}train [${'█'.repeat(6)}${'░'.repeat(18)}] 50/200 steps · 10/s · 15 s left · loss 0.5`,
    ])
  })

  it('redraws ten times a second at most, and at the end', () => {
    const { written, clock, progress } = stage(true)
    const bar = progress(1000)
    for (let step = 1; step <= 1000; step++) {
      clock.ms += 1
      bar.update(step)
    }
    bar.finish()
    expect(written.length).toBeGreaterThan(8)
    expect(written.length).toBeLessThan(14)
    expect(written.at(-2)).toContain('1000/1000 steps · 1000/s')
    expect(written.at(-1)).toBe('\n')
  })

  it('never wraps: the bar gives way first, then the end of the line', () => {
    for (const [columns, bar] of [
      [80, 19],
      [60, 8],
      [40, 8],
    ] as const) {
      const { written, clock, progress } = stage(true, columns)
      const work = progress(100)
      clock.ms = 1000
      work.update(10, 'a note on the work')
      const line = written[0]!.replace(clear, '')
      expect(line).toHaveLength(columns - 1)
      expect(/\[([█░]+)\]/.exec(line)![1]).toHaveLength(bar)
    }
  })

  it('takes 80 columns where the terminal does not say', () => {
    const { written, clock, progress } = stage(true, 0)
    const work = progress(100)
    clock.ms = 1000
    work.update(10)
    expect(written[0]).toMatch(/10\/100 steps · 10\/s · 9 s left$/)
  })

  it('steps aside for other lines and comes back', () => {
    const { written, stream, clock, progress } = stage(true)
    const bar = progress(4)
    bar.clear()
    bar.restore()
    expect(written).toEqual([clear])
    clock.ms = 1000
    bar.update(1)
    bar.clear()
    stream.write('epoch 1\n')
    bar.restore()
    expect(written.slice(2)).toEqual([clear, 'epoch 1\n', written[1]])
  })
})

describe('progress elsewhere', () => {
  it('is a plain line every ten seconds and one at the end', () => {
    const { written, clock, progress } = stage(false)
    const bar = progress(100)
    for (let step = 1; step <= 100; step++) {
      clock.ms += 250
      bar.update(step)
    }
    bar.finish()
    expect(written).toEqual([
      'train 40/100 steps · 4.0/s · 15 s left\n',
      'train 80/100 steps · 4.0/s · 5 s left\n',
      'train 100/100 steps · 4.0/s\n',
    ])
  })

  it('says nothing twice, and nothing when nothing was done', () => {
    const { written, clock, progress } = stage(false)
    const bar = progress(10)
    clock.ms = 10_000
    bar.update(10)
    bar.clear()
    bar.restore()
    bar.finish()
    progress(10).finish()
    expect(written).toEqual(['train 10/10 steps · 1.0/s\n'])
  })

  it('counts the rate from where a resumed run began, and turns slow rates round', () => {
    const { written, clock, progress } = stage(false)
    const bar = progress(120, 100)
    clock.ms = 40_000
    bar.update(110)
    expect(written).toEqual(['train 110/120 steps · 4.0 s each · 40 s left\n'])
  })
})

describe('terminal', () => {
  function terminal(options: { json?: boolean; quiet?: boolean }, isTTY = false) {
    const { written, stream } = stage(isTTY)
    const out: string[] = []
    const streams = { stdout: { write: (text: string) => out.push(text) }, stderr: stream }
    return { out, written, terminal: new Terminal({ json: false, quiet: false, ...options }, streams) }
  }

  it('keeps stdout for the result: text, or one JSON document', () => {
    for (const [json, expected] of [
      [false, '2 clips\n'],
      [true, '{\n  "clips": 2\n}\n'],
    ] as const) {
      const { out, written, terminal: t } = terminal({ json })
      t.note('a note')
      t.warn('a warning')
      t.result({ clips: 2 }, ({ clips }) => `${clips} clips`)
      expect(out).toEqual([expected])
      expect(written).toEqual(['a note\n', 'warning: a warning\n'])
    }
  })

  it('--quiet hides notes and progress, not warnings and errors', () => {
    const { written, terminal: t } = terminal({ quiet: true }, true)
    const bar = t.progress('check', 10)
    bar.update(5)
    t.note('a note')
    t.warn('a warning')
    t.error('an error')
    expect(written).toEqual(['warning: a warning\n', 'an error\n'])
  })

  it('a new bar ends the one before, an error ends it too', () => {
    const { written, terminal: t } = terminal({}, true)
    t.progress('features', 10).update(10)
    t.progress('train', 10).update(1)
    t.error('an error')
    expect(written.filter((text) => text === '\n')).toHaveLength(2)
    expect(written.at(-1)).toBe('an error\n')
    t.note('after')
    expect(written.at(-1)).toBe('after\n')
  })
})

it('durations round up and stay short', () => {
  expect([0.2, 59.2, 75, 3599.5, 3725].map(duration)).toEqual([
    '1 s',
    '1 min 0 s',
    '1 min 15 s',
    '1 h 0 min',
    '1 h 2 min',
  ])
})
