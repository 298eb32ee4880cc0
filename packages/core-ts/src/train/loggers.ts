import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { SonotextError } from '../base/errors.js'
import { encodeEvent, frameRecord, type TensorBoardEvent } from './tensorboard.js'

/** One line of a run's history. */
export interface LogRecord {
  readonly kind: 'start' | 'step' | 'epoch' | 'warning' | 'end'
  /** Optimiser steps done so far. */
  readonly step: number
  /** Epochs with fraction. */
  readonly epoch: number
  /** Named numbers such as `loss`, `lr`, `gradNorm`. */
  readonly values: Readonly<Record<string, number>>
  /** For people: why a warning, why the end. */
  readonly message?: string
}

/** Where a run writes its history. Writing is synchronous, so that a kill loses no finished line. */
export interface Logger {
  /** Called once before the first record; `step` is 0 for a new run, else where it was resumed. */
  open(step: number): void
  /** Throws WRITE_FAILED naming the file. */
  write(record: LogRecord): void
  close(): void
}

/** A file that is only appended to. */
class LogFile {
  readonly path: string
  readonly #fd: number

  constructor(path: string) {
    this.path = path
    try {
      mkdirSync(dirname(path), { recursive: true })
      this.#fd = openSync(path, 'a+')
    } catch (cause) {
      throw failed(path, cause)
    }
  }

  append(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(this.#fd, bytes, done)
    } catch (cause) {
      throw failed(this.path, cause)
    }
  }

  /** Keeps the whole lines that `keep` accepts up to the first it refuses, drops the rest. */
  keepLines(keep: (line: string) => boolean): void {
    if (fstatSync(this.#fd).size === 0) return
    const text = readFileSync(this.path, 'utf8')
    let end = 0
    for (
      let next = text.indexOf('\n');
      next >= 0 && keep(text.slice(end, next));
      next = text.indexOf('\n', end)
    ) {
      end = next + 1
    }
    ftruncateSync(this.#fd, Buffer.byteLength(text.slice(0, end)))
  }

  close(): void {
    closeSync(this.#fd)
  }
}

function failed(file: string, cause: unknown): SonotextError {
  const code = (cause as NodeJS.ErrnoException).code
  return new SonotextError('WRITE_FAILED', `could not write the log (${code ?? String(cause)}).`, {
    file,
    remedy: 'Free disk space or choose another folder, then resume from the last checkpoint.',
    cause,
  })
}

/**
 * One JSON object a line: `{time, kind, step, epoch, …values, message}`. Numbers that are not finite are written as
 * strings. A resumed run first drops the lines after the step it resumes from, so that no step appears twice.
 */
export function jsonlLogger(path: string): Logger {
  let file: LogFile | undefined
  return {
    open(step) {
      file ??= new LogFile(path)
      file.keepLines((line) => stepOf(line) <= step && step > 0)
    },
    write({ kind, step, epoch, values, message }) {
      const line = {
        time: new Date().toISOString(),
        kind,
        step,
        epoch,
        ...values,
        ...(message === undefined ? {} : { message }),
      }
      file?.append(
        `${JSON.stringify(line, (_, value) => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value))}\n`,
      )
    },
    close() {
      file?.close()
      file = undefined
    },
  }
}

function stepOf(line: string): number {
  try {
    const { step } = JSON.parse(line) as { step: unknown }
    return typeof step === 'number' ? step : Infinity
  } catch {
    return Infinity
  }
}

let filesOpened = 0

/**
 * TensorBoard event files (TFRecord of Event messages) in `folder`; scalars are tagged `step/loss`, `epoch/mAP@10`, and
 * so on. A resumed run starts a new file whose first event tells TensorBoard to drop what came after its step.
 */
export function tensorBoardLogger(folder: string): Logger {
  let file: LogFile | undefined
  const append = (event: Omit<TensorBoardEvent, 'wallTime'>): void =>
    file?.append(frameRecord(encodeEvent({ wallTime: Date.now() / 1000, ...event })))
  return {
    open(step) {
      if (file !== undefined) return
      const seconds = Math.floor(Date.now() / 1000)
      const name = `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${filesOpened++}`
      file = new LogFile(join(folder, name))
      append({ step: 0, fileVersion: 'brain.Event:2' })
      if (step > 0) append({ step: step + 1, sessionStart: true })
    },
    write({ kind, step, values }) {
      const scalars = Object.entries(values).map(([tag, value]) => ({ tag: `${kind}/${tag}`, value }))
      if (scalars.length > 0) append({ step, scalars })
    },
    close() {
      file?.close()
      file = undefined
    },
  }
}
